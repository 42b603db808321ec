#!/usr/bin/env bash
# Makes build/arm64-image: the disk, kernel and initial file system of a small
# Debian 12 for arm64 with systemd and the libraries that Quern needs, to be
# booted by qemu. Made again only when this file or the list of packages has
# changed. Needs root, and qemu-user-static to configure arm64 packages: it is
# registered in a user namespace of its own (Linux 6.7), else it must be
# registered on this machine (package qemu-user-binfmt or binfmt-support).
set -euo pipefail
cd "$(dirname "$0")/../.."
. deploy/arm64/common.sh

image=$PWD/build/arm64-image
list=deploy/arm64/image-packages.txt
key=$(cat "$0" deploy/arm64/{common,initrd}.sh "$list" | sha256sum | cut -d' ' -f1)
if [ "$(cat "$image/key" 2>/dev/null)" = "$key" ]; then
  exit 0
fi
require_programs mmdebstrap qemu-aarch64-static mke2fs cpio dpkg-deb depmod
begin=$SECONDS
work=$(mktemp -d)
chmod 755 "$work"
holder=
finish() {
  if [ -n "$holder" ]; then kill "$holder" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap finish EXIT
rm -rf "$image"
mkdir -p "$image" "$work/kernel" "$work/unpacked" "$work/initrd"

# Fetches the kernel's package without installing it: that would make an
# initial file system of its own, slowly.
cat > "$work/fetch_kernel" <<'HOOK'
#!/bin/sh
set -e
export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"
name=$(apt-cache depends linux-image-cloud-arm64 |
  sed -n 's/.*Depends: \(linux-image-[0-9][^ ]*\).*/\1/p' | head -n 1)
cd "$KERNEL_FOLDER"
apt-get -q -o APT::Sandbox::User=root download "$name"
HOOK
chmod +x "$work/fetch_kernel"

make_root() {
  . deploy/arm64/common.sh
  KERNEL_FOLDER="$work/kernel" debian_packages "$list" --variant=minbase \
    --mode=root --aptopt='Acquire::Check-Valid-Until "false"' \
    --customize-hook="KERNEL_FOLDER=$work/kernel $work/fetch_kernel \"\$1\"" \
    "$work/root"
}

# Runs make_root where arm64 programs run, as if on an arm64 machine.
make_root_emulated() {
  if [ -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ]; then
    make_root
    return
  fi
  unshare -U -m sleep infinity &
  holder=$!
  # Until the namespace is there.
  while [ "$(readlink /proc/$holder/ns/user)" = \
      "$(readlink /proc/self/ns/user)" ]; do
    sleep 0.1
  done
  echo '0 0 65536' > "/proc/$holder/uid_map"
  echo '0 0 65536' > "/proc/$holder/gid_map"
  export -f make_root
  export work list
  nsenter -t "$holder" -U -m bash -ec '
    mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
    cat /usr/lib/binfmt.d/qemu-aarch64.conf > /proc/sys/fs/binfmt_misc/register
    cd "$1"
    make_root' bash "$PWD"
}

if ! make_root_emulated > "$work/log" 2>&1; then
  tail -n 20 "$work/log" >&2
  echo "$0: the image cannot be made on this machine" >&2
  exit 1
fi
echo "Debian for arm64: $((SECONDS - begin)) s"

root=$work/root
: > "$root/etc/fstab"
echo quern > "$root/etc/hostname"
echo uninitialized > "$root/etc/machine-id"
# What a system that lives for a minute has no use for.
for unit in apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer \
    fstrim.timer dpkg-db-backup.timer systemd-timesyncd.service \
    getty@tty1.service ldconfig.service systemd-hwdb-update.service \
    systemd-journal-catalog-update.service systemd-update-done.service \
    systemd-firstboot.service; do
  ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
mkdir -p "$root/opt"

dpkg-deb -x "$work"/kernel/linux-image-*.deb "$work/unpacked"
version=$(ls "$work/unpacked/lib/modules")
cp "$work/unpacked/boot/vmlinuz-$version" "$image/vmlinuz"
mkdir -p "$root/usr/lib/modules"
cp -a "$work/unpacked/lib/modules/$version" "$root/usr/lib/modules/"
rm -rf "$root/usr/lib/modules/$version/kernel/"{drivers/gpu,drivers/infiniband}
depmod -b "$root/usr" "$version" 2>/dev/null || depmod -b "$root" "$version"

# The initial file system finds the two disks by their serial numbers: the
# system's, and the one that boot-test.sh makes, which becomes /opt.
mkdir -p "$work/initrd"/{bin,proc,sys,dev,system,modules}
cp "$root/bin/busybox" "$work/initrd/bin/busybox"
ln -s busybox "$work/initrd/bin/sh"
for module in virtio/virtio virtio/virtio_ring virtio/virtio_mmio \
    block/virtio_blk; do
  cp "$work/unpacked/lib/modules/$version/kernel/drivers/$module.ko" \
    "$work/initrd/modules/"
done
cp deploy/arm64/initrd.sh "$work/initrd/init"
chmod +x "$work/initrd/init"
(cd "$work/initrd" && find . | cpio -o -H newc --quiet | gzip -1) \
  > "$image/initrd.gz"

size_mib=$(($(du -sm "$root" | cut -f1) + 256))
truncate -s ${size_mib}M "$image/root.ext4"
mke2fs -q -F -t ext4 -m 0 -O ^has_journal -d "$root" "$image/root.ext4"
echo "$key" > "$image/key"
echo "Made $image: kernel $version, $(du -sm "$root" | cut -f1) MiB," \
  "$((SECONDS - begin)) s"
