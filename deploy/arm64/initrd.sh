#!/bin/sh
# The first program of the booted test system: mounts the disk of the system and
# the test's, and hands over to systemd.
busybox() { /bin/busybox "$@"; }
busybox mount -t proc proc /proc
busybox mount -t sysfs sys /sys
busybox mount -t devtmpfs dev /dev
for module in virtio_ring virtio virtio_mmio virtio_blk; do
  busybox insmod "/modules/$module.ko"
done

# Prints the device of the disk with the serial number $1.
find_disk() {
  for disk in /sys/block/vd*; do
    if [ "$(busybox cat "$disk/serial")" = "$1" ]; then
      echo "/dev/${disk##*/}"
      return
    fi
  done
}

tries=100
while [ $tries -gt 0 ]; do
  system=$(find_disk system)
  payload=$(find_disk payload)
  if [ -n "$system" ] && [ -n "$payload" ]; then break; fi
  tries=$((tries - 1))
  busybox sleep 0.1
done
if ! busybox mount -t ext4 -o rw,noatime "$system" /system ||
    ! busybox mount -t ext4 -o ro "$payload" /system/opt; then
  echo "BOOT-TEST: fail: the disks cannot be mounted"
  busybox poweroff -f
fi
busybox cp /system/opt/boot-judge.service /system/etc/systemd/system/
busybox umount /proc
busybox umount /sys
busybox mount -o move /dev /system/dev
exec /bin/busybox switch_root /system /sbin/init
