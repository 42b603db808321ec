#!/usr/bin/env bash
# Runs every test, stage by stage, and prints the minutes of each. Names of
# stages as arguments run those alone. On a bare Debian 12 it first installs
# what the build needs. Ends with a line "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")/.."
. deploy/prepare.sh

passed=0
failed=0
arm64_begin_minutes_max=45
arm64_minutes_max=24

# Runs CTest of preset $1 with the arguments that follow, and counts.
run_tests() {
  local preset=$1 log
  shift
  log=$(mktemp)
  ctest --preset "$preset" --timeout 600 "$@" 2>&1 | tee "$log" |
    grep -vE '^ *(Start|[0-9]+/[0-9]+ Test .* Passed)'
  local total bad
  total=$(sed -n 's/.*tests passed, \([0-9]*\) tests failed out of \([0-9]*\).*/\2/p' "$log")
  bad=$(sed -n 's/.*tests passed, \([0-9]*\) tests failed out of \([0-9]*\).*/\1/p' "$log")
  rm -f "$log"
  if [ -z "${total:-}" ]; then
    echo "No test of preset $preset ran."
    failed=$((failed + 1))
    return 1
  fi
  passed=$((passed + total - bad))
  failed=$((failed + bad))
  [ "$bad" -eq 0 ]
}

stage_packages() { install_packages; }
stage_build() { build_preset release; }
stage_test() { run_tests release; }
stage_asan() { build_preset asan && run_tests asan; }
stage_tsan() { build_preset tsan && run_tests tsan; }
stage_fuzz() { build/release/bin/quern --version && tests/fuzz/run.sh 60; }
stage_install() { tests/install/run.sh; }

# Figures, for a look; a busy machine must not fail a test run.
stage_bench() {
  local bench
  for bench in cold_compile_bench kernel_speed_bench served_launch_bench \
      throughput_bench; do
    "build/release/bin/$bench" --benchmark_out_format=json \
      --benchmark_out="build/release/$bench.json" 2>/dev/null || return 1
  done
}

# The service on a booted arm64 system, under emulation. A machine that cannot
# make or run one, or has taken long already, says so; that is no failure.
stage_arm64() {
  local status=0
  if [ $((SECONDS / 60)) -ge "$arm64_begin_minutes_max" ]; then
    echo "arm64: not run: $((SECONDS / 60)) minutes have passed"
    return 0
  fi
  timeout --kill-after=30 $((arm64_minutes_max * 60)) \
    deploy/arm64/boot-test.sh max || status=$?
  case $status in
    0) passed=$((passed + 1)) ;;
    2) echo "arm64: not run: this machine cannot" ;;
    3) echo "arm64: not judged: it took too long" ;;
    124 | 137) echo "arm64: not judged: stopped after $arm64_minutes_max minutes" ;;
    *) failed=$((failed + 1)); return 1 ;;
  esac
}

run_stage() {
  local name=$1 begin=$SECONDS
  echo "== $name"
  if ! "stage_$name"; then
    echo "== $name FAILED"
    bad_stages+=("$name")
  fi
  minutes+=("$(printf '%5.1f  %s' "$(awk "BEGIN { print ($SECONDS - $begin) / 60 }")" "$name")")
}

minutes=()
bad_stages=()
stages=("$@")
if [ ${#stages[@]} -eq 0 ]; then
  stages=(packages build test asan tsan fuzz install bench arm64)
fi
for stage in "${stages[@]}"; do
  run_stage "$stage"
done
echo "Minutes of each stage:"
printf '%s\n' "${minutes[@]}"
for stage in "${bad_stages[@]}"; do
  echo "Failed stage: $stage"
  [ "$failed" -gt 0 ] || failed=1
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
