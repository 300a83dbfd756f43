# The tree every host stands on: Debian 12 with systemd, sshd, PAM, sudo and nftables, and no Python.
packages="systemd systemd-sysv dbus libpam-systemd openssh-server sudo iproute2 procps netbase nftables ca-certificates openssl
  netcat-openbsd cryptsetup-bin e2fsprogs passwd login less"

finish() {
  local unit
  echo 'deb [trusted=yes] file:/srv/tsplay-repo ./' > "$root/etc/apt/sources.list"
  mkdir -p "$root/srv/tsplay-repo"
  # Identity belongs to the host, not to the image.
  rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/resolv.conf" "$root/var/lib/dbus/machine-id"
  : > "$root/etc/resolv.conf"; : > "$root/etc/machine-id"; echo localhost > "$root/etc/hostname"
  # No hardware, no terminals, no network of its own to manage, and nothing to run by the clock.
  for unit in systemd-udevd.service systemd-networkd.service systemd-resolved.service systemd-timesyncd.service console-getty.service \
    getty@tty1.service e2scrub_reap.service lvm2-monitor.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
    e2scrub_all.timer fstrim.timer systemd-networkd.socket systemd-udevd-kernel.socket systemd-udevd-control.socket; do
    ln -sfn /dev/null "$root/etc/systemd/system/$unit"
  done
  # journald would reserve 8 MiB of every host's memory.
  mkdir -p "$root/etc/systemd/journald.conf.d"
  printf '[Journal]\nStorage=volatile\nRuntimeMaxUse=2M\nRuntimeMaxFileSize=1M\n' > "$root/etc/systemd/journald.conf.d/lab.conf"
  chroot "$root" useradd -m -u 1000 -s /bin/bash -c 'lab administrator' -G sudo admin
  echo 'admin:admin-lab-only' | chroot "$root" chpasswd
}
