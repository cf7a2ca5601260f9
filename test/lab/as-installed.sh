#!/bin/sh
# As root: runs a script without a network, as if the packages unpacked in $1 were installed. It has its own /dev, /etc, /run and /var/log.
#   as-installed.sh UNPACKED SCRIPT
set -eu
[ "${2-}" = inside ] || exec unshare --net --mount --pid --fork --kill-child --mount-proc "$0" "$1" inside "$2"
mount -t tmpfs none /run
mkdir /run/etc /run/etc.work
mount -t overlay -o "lowerdir=$1/usr:/usr" overlay /usr
mount -t overlay -o "lowerdir=$1/etc:/etc,upperdir=/run/etc,workdir=/run/etc.work" overlay /etc
mount -t tmpfs none /var/log
mount -t tmpfs none /dev
for device in "null 3" "zero 5" "full 7" "random 8" "urandom 9"; do
  mknod -m 666 "/dev/${device% *}" c 1 "${device#* }"
done
ip link set lo up
exec sh -euc "$3"
