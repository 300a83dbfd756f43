#!/bin/bash
# Init of a User-Mode-Linux host: mounts, network, device-mapper, udev for its disks, then sshd. LAB_NAME and LAB_IP come from the kernel's command line.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev 2> /dev/null
mkdir -p /dev/pts /dev/shm; mount -t devpts -o ptmxmode=0666,mode=620,gid=5 devpts /dev/pts; mount -t tmpfs shm /dev/shm
mount -t tmpfs -o mode=755 run /run; mount -t tmpfs -o mode=1777 tmp /tmp; mkdir -p /run/sshd /run/lock /run/lvm /run/cryptsetup
ln -sfn /proc/self/fd /dev/fd; ln -sfn fd/0 /dev/stdin; ln -sfn fd/1 /dev/stdout; ln -sfn fd/2 /dev/stderr
hostname "$LAB_NAME"; ip link set lo up; ip addr add "$LAB_IP/16" dev vec0; ip link set vec0 up; ip route add default via 10.77.0.1
modprobe -a dm-mod dm-crypt xts algif_skcipher loop
# Only the disks: triggering every device costs six seconds more.
/lib/systemd/systemd-udevd --daemon; udevadm trigger --action=add --sysname-match='ubd*'; udevadm settle -t 10
unset LAB_NAME LAB_IP
exec /usr/sbin/sshd -D -e
