#!/bin/bash
# Outside of a User-Mode-Linux host: its tree (the kernel reads it through hostfs, no disk image) and its kernel process.
# uml-start.sh NAME IP DIR LOWERDIRS DEBS NETNS MAC KERNEL
set -eu
name=$1 ip=$2 d=$3 lower=$4 debs=$5 netns=$6 mac=$7 kernel=$8
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$d/upper,workdir=$d/work" "$d/root"
mount --bind "$debs" "$d/root/srv/tsplay-repo"; mount -o remount,bind,ro "$d/root/srv/tsplay-repo"
mount -t tmpfs -o size=1G,exec shm /dev/shm; export TMPDIR=/dev/shm
exec nsenter --net="$netns" "$kernel" mem=256M umid="$name" uml_dir="$d/uml/" root=/dev/root rootfstype=hostfs rootflags="$d/root" rw \
  ubd0="$d/disk0.img" ubd1="$d/disk1.img" vec0:transport=tap,ifname="t-$name",mac="$mac",depth=128,gro=1 con=null con0=null,fd:1 quiet \
  init=/usr/local/lib/tsplay-lab/init LAB_NAME="$name" LAB_IP="$ip"
