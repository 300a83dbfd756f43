#!/bin/bash
# First process of a namespace host: builds its mounts, waits for its network, and becomes its init.
# namespace-init.sh NAME DIR LOWERDIRS DEBS systemd|sshd
set -eu
name=$1 d=$2 lower=$3 debs=$4 init=$5; r=$d/root
hostname "$name"
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$d/upper,workdir=$d/work" "$r"
mount --bind "$debs" "$r/srv/tsplay-repo"; mount -o remount,bind,ro "$r/srv/tsplay-repo"
mount -t proc -o nosuid,nodev,noexec proc "$r/proc"
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$r/sys"
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 "$r/sys/fs/cgroup"
mount -t tmpfs -o mode=755,nosuid,strictatime,size=8m dev "$r/dev"
for n in "null 1 3 666" "zero 1 5 666" "full 1 7 666" "random 1 8 666" "urandom 1 9 666" "tty 5 0 666" "kvm 10 232 660" "fuse 10 229 666"; do
  set -- $n; mknod -m "$4" "$r/dev/$1" c "$2" "$3"
done
mkdir "$r/dev/net" "$r/dev/pts" "$r/dev/shm" "$r/dev/mqueue"; mknod -m 666 "$r/dev/net/tun" c 10 200
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5,nosuid,noexec devpts "$r/dev/pts"
ln -s pts/ptmx "$r/dev/ptmx"; ln -s /proc/self/fd "$r/dev/fd"; ln -s fd/0 "$r/dev/stdin"; ln -s fd/1 "$r/dev/stdout"; ln -s fd/2 "$r/dev/stderr"
mount -t tmpfs -o nosuid,nodev shm "$r/dev/shm"
mount -t mqueue mqueue "$r/dev/mqueue"
mount -t tmpfs -o mode=755,nosuid,nodev tmpfs "$r/run"
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$r/tmp"
for _ in $(seq 2000); do [ -e "$d/go" ] && break; sleep 0.005; done
cd "$r"; pivot_root . .; umount -l .
path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
case $init in
  systemd) exec env -i container=tsplay-lab PATH=$path /lib/systemd/systemd --system ;;
  sshd) PATH=$path; mkdir -p /run/sshd /run/lock; exec env -i PATH=$path HOME=/root /usr/sbin/sshd -D -e ;;
esac
