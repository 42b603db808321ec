#!/usr/bin/env bash
# Runs every test, stage by stage, and prints the minutes of each. Names of
# stages as arguments run those alone. On a bare Debian 12 it first installs
# what the build needs. Ends with a line "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")/.."
. deploy/prepare.sh

passed=0
failed=0

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
  for bench in cold_compile_bench kernel_speed_bench served_launch_bench; do
    "build/release/bin/$bench" --benchmark_out_format=json \
      --benchmark_out="build/release/$bench.json" 2>/dev/null || return 1
  done
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
  stages=(packages build test asan tsan fuzz install bench)
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
