# The repository that the hosts install from: these packages with all they depend on beyond the base tree.
packages="sasl2-bin libsasl2-modules libsasl2-modules-db libsasl2-modules-gssapi-mit gnutls-bin
  libvirt-clients cryptsetup cryptsetup-bin lvm2
  firewalld chrony cron rsyslog logrotate nginx-light
  sl tree hello cowsay figlet jq rsync curl socat acl file busybox sudo openssl nftables at"

# Two versions of one tiny package, for what needs an older and a newer one.
own_packages() {
  local v t=$1/build
  for v in 1.0 2.0; do
    mkdir -p "$t/DEBIAN" "$t/usr/bin"
    printf 'Package: lab-demo\nVersion: %s\nArchitecture: all\nMaintainer: tsplay lab <lab@localhost>\nDescription: prints its version\n' $v > "$t/DEBIAN/control"
    printf '#!/bin/sh\necho %s\n' $v > "$t/usr/bin/lab-demo"; chmod 755 "$t/usr/bin/lab-demo"
    dpkg-deb --root-owner-group -b "$t" "$1/lab-demo_${v}_all.deb"; rm -rf "$t"
  done
}
finish() { :; }
