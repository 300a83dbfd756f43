# A host whose shell and tools are busybox: /bin/sh, coreutils, findutils, sed, grep, awk, tar, ps and so on.
# sshd, sudo, PAM and the account tools stay; bash and perl go. Such systems often have doas: it is there too.
packages="busybox opendoas"
finish() {
  chroot "$root" usermod -s /bin/sh admin; chroot "$root" usermod -s /bin/sh root
  chroot "$root" /usr/bin/busybox sh -euc '
    PATH=/usr/bin:/usr/sbin; b=/usr/bin/busybox; keep=" busybox init login su passwd adduser addgroup deluser delgroup "
    for a in $($b --list); do
      case $keep in *" $a "*) continue ;; esac
      if [ -e /usr/sbin/$a ] || [ -L /usr/sbin/$a ]; then $b ln -sf $b /usr/sbin/$a; else $b ln -sf $b /usr/bin/$a; fi
    done
    for p in coreutils findutils grep sed mawk diffutils tar gzip bash perl-base; do
      for f in $($b cat /var/lib/dpkg/info/$p.list); do
        case $f in /bin/*|/usr/bin/*|/usr/sbin/*|/sbin/*) ;; *) continue ;; esac
        [ -f $f ] && [ ! -L $f ] && $b rm -f $f || true
      done
    done
    [ "$($b readlink /bin/sh)" = $b ] && [ ! -e /bin/bash ]'
}
