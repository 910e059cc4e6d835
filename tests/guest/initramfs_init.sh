#!/bin/busybox sh
# shellcheck shell=dash
# PID 1 of the initramfs.  Builds the guest's root (the host's, read only, over
# 9p, under a tmpfs) and hands over to guest_init.sh in it.  Everything up to
# there is done with the initramfs's own busybox: each program that comes over
# 9p costs an emulated guest a tenth of a second.
/bin/busybox --install -s /bin
export PATH=/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys

# The reboot ends QEMU (-no-reboot), so that the host learns of it at once.
die() {
  echo "initramfs: $*" >/dev/console
  reboot -f
}

# Paths come in files and never on the kernel command line, which would break
# those that have spaces.
p9=trans=virtio,version=9p2000.L
load() {
  while read -r module parameters; do
    # shellcheck disable=SC2086
    insmod "/modules/$module" $parameters || echo "initramfs: $module did not load" >/dev/console
  done <"$1"
}

load /modules/root.list
# Loose caching trusts that files do not change on the host during a run; it is
# what makes program start bearable.
mount -t 9p -o "$p9,ro,msize=512000,cache=loose" hostroot /ro || die "the host's root did not mount"
mount -t tmpfs -o size=80%,mode=755 rw /rw
mkdir /rw/upper /rw/work
mount -t overlay -o lowerdir=/ro,upperdir=/rw/upper,workdir=/rw/work,index=off,xino=off overlay /new ||
  die "the overlay did not mount"

cd /new || die "no new root"
mount -t proc proc proc
mount -t sysfs sys sys
mount -t devtmpfs dev dev
mkdir -p dev/pts dev/shm
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts dev/pts
mount -t tmpfs -o mode=1777 shm dev/shm
# devtmpfs has only devices; bash's process substitution, among others, wants these.
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
mount -t tmpfs -o mode=755 run run
mkdir -p run/netns run/lock run/l2tp-guest
mount -t debugfs debug sys/kernel/debug
mount -t tracefs trace sys/kernel/tracing
mount -t cgroup2 cgroup sys/fs/cgroup
mount -t 9p -o "$p9,ro,msize=262144,cache=loose" control run/l2tp-guest || die "the control share did not mount"

# The host's own /lib/modules is of another kernel, or of another build of this
# one; a mount on top of it also spares us writing to it.
release=$(uname -r)
tree=$(cat run/l2tp-guest/modules_directory)
mkdir -p "lib/modules/$release"
mount --bind "/ro$tree" "lib/modules/$release" || die "no kernel modules in $tree"
load /modules/guest.list

index=0
while IFS= read -r directory; do
  mkdir -p "/new$directory"
  # Uncached, so that the host sees what was written, and the guest what the
  # host writes.
  mount -t 9p -o "$p9,msize=262144,cache=none" "share$index" "/new$directory" ||
    die "no share for $directory"
  index=$((index + 1))
done <run/l2tp-guest/writable

hostname l2tp-guest
ip link set lo up
umount /dev /sys
exec switch_root /new /bin/bash /run/l2tp-guest/guest_init.sh
