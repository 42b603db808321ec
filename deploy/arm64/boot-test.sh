#!/usr/bin/env bash
# Boots Debian 12 for arm64 under emulation, installs the cross-built Quern in
# it as an operator would, and lets boot-judge.sh try the service there.
#
#   deploy/arm64/boot-test.sh [CPU]...   qemu's names; default: max cortex-a76
#
# Exit status: 0 pass; 1 fail; 2 this machine cannot run it, and the last line
# says why; 3 it took too long. What the system printed is left in
# build/arm64-boot/CPU.log. Sysroot and image stay under build/ for the next
# run. Needs root.
set -uo pipefail
cd "$(dirname "$0")/../.."
. deploy/prepare.sh
. deploy/arm64/common.sh

timeout_s=900
memory_mib=1024
boot=$PWD/build/arm64-boot

# Says why this machine cannot run the test.
cannot() {
  echo "boot-test: cannot run here: $*"
  exit 2
}

# The disk that becomes /opt: the installation, and what the judge needs.
make_payload() {
  local folder=$boot/payload
  rm -rf "$folder"
  mkdir -p "$folder/data" || return
  cp -a build/arm64-install "$folder/tree" || return
  cp build/arm64/bin/test-client "$folder/" || return
  clang-19 --target=aarch64-linux-gnu --sysroot=build/arm64-sysroot \
    -fuse-ld=lld-19 -O1 -Wall -Wextra -Werror deploy/arm64/mdwe_probe.c \
    -o "$folder/mdwe-probe" || return
  cp deploy/arm64/boot-judge.sh deploy/arm64/boot-judge.service "$folder/" ||
    return
  cp tests/kernels/3.6.0/{add_f32,add_f32_block128}.ttir "$folder/data/" ||
    return
  /usr/bin/python3 deploy/arm64/boot_data.py "$folder/data" || return
  local size_mib=$(($(du -sm "$folder" | cut -f1) * 11 / 10 + 16))
  rm -f "$boot/payload.ext4"
  truncate -s ${size_mib}M "$boot/payload.ext4"
  mke2fs -q -F -t ext4 -m 0 -O ^has_journal -E root_owner=0:0 -d "$folder" \
    "$boot/payload.ext4"
}

# Boots a system with CPU $1 and prints what its judge says.
boot_cpu() {
  local cpu=$1 log=$boot/$1.log begin=$SECONDS model=$1 status
  # The architected pointer authentication would triple the time.
  if [ "$cpu" = max ]; then model=max,pauth-impdef=on; fi
  : > "$log"
  timeout --foreground -k 5 $timeout_s nice qemu-system-aarch64 -M virt,gic-version=3 \
    -cpu "$model" -accel tcg,thread=multi -smp 2 -m $memory_mib \
    -display none -monitor none -serial "file:$log" -no-reboot -nic none \
    -kernel build/arm64-image/vmlinuz -initrd build/arm64-image/initrd.gz \
    -drive file=build/arm64-image/root.ext4,if=none,id=system,format=raw,snapshot=on,cache=unsafe \
    -device virtio-blk-device,drive=system,serial=system \
    -drive file="$boot/payload.ext4",if=none,id=payload,format=raw,readonly=on \
    -device virtio-blk-device,drive=payload,serial=payload \
    -append "console=ttyAMA0 quiet loglevel=4 panic=-1 systemd.show_status=0 \
systemd.unit=boot-judge.service systemd.mask=systemd-udev-trigger.service \
quern.cpu=$cpu" < /dev/null > "$boot/$cpu.qemu" 2>&1
  status=$?
  tr -d '\r' < "$log" | sed -n 's/^BOOT-TEST: /  /p'
  if grep -aq '^BOOT-TEST: pass' "$log"; then
    echo "boot-test: $cpu: pass, $((SECONDS - begin)) s"
    return 0
  fi
  tail -n 40 "$log" | tr -d '\r'
  cat "$boot/$cpu.qemu"
  if [ $status -eq 124 ] || [ $status -eq 137 ]; then
    echo "boot-test: $cpu: not ended after $timeout_s s"
    return 3
  fi
  echo "boot-test: $cpu: FAIL, $((SECONDS - begin)) s"
  return 1
}

[ "$(id -u)" -eq 0 ] || cannot "it needs root, to make the system's image"
deploy/arm64/build.sh
case $? in
  0) ;;
  2) cannot "what the cross-build needs is not to be had; see above" ;;
  *) echo "boot-test: FAIL: the cross-build"; exit 1 ;;
esac
require_programs qemu-system-aarch64 mke2fs || cannot "see above"
deploy/arm64/image.sh || cannot "the image could not be made; see above"
make_payload || cannot "the test's own disk could not be made"
cpus=("$@")
if [ ${#cpus[@]} -eq 0 ]; then cpus=(max cortex-a76); fi
for cpu in "${cpus[@]}"; do
  boot_cpu "$cpu" || exit $?
done
echo "boot-test: pass in all, $SECONDS s"
