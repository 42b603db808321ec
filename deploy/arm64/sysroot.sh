#!/usr/bin/env bash
# Makes build/arm64-sysroot: the headers and libraries of Debian 12 for arm64
# that the cross-build compiles and links against. Nothing in it is executed.
# Made again only when sysroot-packages.txt has changed.
set -euo pipefail
cd "$(dirname "$0")/../.."
. deploy/arm64/common.sh

sysroot=build/arm64-sysroot
list=deploy/arm64/sysroot-packages.txt
if [ -f "$sysroot/packages.txt" ] && cmp -s "$list" "$sysroot/packages.txt"; then
  exit 0
fi
require_programs mmdebstrap
begin=$SECONDS
log=$(mktemp)
rm -rf "$sysroot" "$sysroot.new"
mkdir -p build
if ! debian_packages "$list" --variant=extract "$sysroot.new" > "$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "$0: the packages of $list cannot be had from this machine's mirror" >&2
  exit 1
fi
rm -f "$log"
# A link to an absolute path would lead out of the sysroot, into this machine.
find "$sysroot.new" -type l -lname '/*' -printf '%p\0%l\0' |
  while IFS= read -r -d '' link && IFS= read -r -d '' target; do
    ln -sfnr "$sysroot.new$target" "$link"
  done
cp "$list" "$sysroot.new/packages.txt"
mv "$sysroot.new" "$sysroot"
echo "Made $sysroot: $(du -sm "$sysroot" | cut -f1) MiB, $((SECONDS - begin)) s"
