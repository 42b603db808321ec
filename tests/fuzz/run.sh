#!/usr/bin/env bash
# Runs every fuzz target for $1 seconds (60 unless given), after the release
# and asan presets were built. Fails on the first finding.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-60}
folder=$(mktemp -d)
daemon=
trap 'if [ -n "$daemon" ]; then kill "$daemon" 2>/dev/null || true; fi
  rm -rf "$folder" || true' EXIT

for target in build/asan/bin/fuzz-*; do
  echo "$(basename "$target"), $seconds s"
  mkdir "$folder/corpus"
  status=0
  "$target" "$folder/corpus" -max_total_time="$seconds" -max_len=65536 \
    -print_final_stats=1 -verbosity=0 -artifact_prefix="$folder/" \
    > "$folder/log" 2>&1 || status=$?
  grep -E 'number_of_executed_units|==ERROR|SUMMARY|deadly' "$folder/log" || true
  if [ "$status" -ne 0 ]; then
    tail -50 "$folder/log"
    exit 1
  fi
  rm -rf "$folder/corpus"
done

cat > "$folder/daemon.textproto" <<EOF
sockets {
  rpc_path: "$folder/rpc.sock"
  attach_path: "$folder/attach.sock"
}
limits { compile_timeout { seconds: 20 } code_memory_bytes_max: 67108864 }
compiler { crashes_max: 1000 }
EOF
build/release/bin/quernd "$folder/daemon.textproto" 2> "$folder/log" &
daemon=$!
# The fuzzer takes no daemon for a finding, so it must be there.
until build/release/bin/quern stats --sockets "$folder" > /dev/null 2>&1; do
  if ! kill -0 "$daemon" 2>/dev/null; then
    cat "$folder/log"
    exit 1
  fi
  read -r -t 0.02 <> <(:) || true
done
echo "triton-ir-fuzz, $seconds s"
build/release/bin/triton-ir-fuzz "$folder" tests/kernels "$seconds" "$RANDOM"
kill -0 "$daemon"
