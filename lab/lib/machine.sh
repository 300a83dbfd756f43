# What the machine must offer, and installing what is missing. Every complaint is one line.

need_root() {
  [ "$(id -u)" != 0 ] || return 0
  command -v sudo > /dev/null || die "the lab needs root: run it as root, or install sudo"
  [ -t 0 ] || sudo -n true 2> /dev/null || die "the lab needs root, and sudo wants a password but there is no terminal"
  exec sudo ${TSPLAY_LAB:+TSPLAY_LAB="$TSPLAY_LAB"} ${TSPLAY_LAB_MIRROR:+TSPLAY_LAB_MIRROR="$TSPLAY_LAB_MIRROR"} bash "$here/lab.sh" "$@"
}

check_machine() {
  [ "$(uname -s)" = Linux ] || die "the lab runs on Linux only"
  command -v apt-get > /dev/null && [ -e /etc/debian_version ] || die "the lab needs a Debian or Ubuntu machine (apt-get not found)"
  [ "$(dpkg --print-architecture)" = amd64 ] || die "the lab's images are amd64 only"
  unshare -C -m -u -i -n -p --fork true 2> /dev/null || die "this machine does not allow new namespaces (in a container it needs --privileged)"
  grep -qw overlay /proc/filesystems || modprobe overlay 2> /dev/null || die "this kernel has no overlayfs"
  [ "$(stat -f -c %T "$CGROUPS" 2> /dev/null)" = cgroup2fs ] || die "this machine has no cgroup v2 hierarchy"
  mkdir -p "$CG" 2> /dev/null || die "cannot create $CG: the cgroup file system is read-only here"
  mkdir -p "$LAB" 2> /dev/null || die "cannot create $LAB"
  [ "$(stat -f -c %T "$LAB")" != overlayfs ] || die "$LAB is on overlayfs, which cannot hold image layers: set TSPLAY_LAB to a directory on a real file system"
}

# Debian packages that the lab's own commands come from.
install_missing() {
  local wanted=() need file package
  while read -r file package; do
    [[ $file == /* ]] && need=$file || need=$(command -v "$file" || true)
    [ -n "$need" ] && [ -e "$need" ] || wanted+=("$package")
  done << 'EOF'
mmdebstrap mmdebstrap
apt-ftparchive apt-utils
dpkg-deb dpkg
ip iproute2
ssh openssh-client
sysctl procps
nsenter util-linux
flock util-linux
/usr/share/keyrings/debian-archive-keyring.gpg debian-archive-keyring
EOF
  [ ${#wanted[@]} -gt 0 ] || return 0
  say "installing on this machine: ${wanted[*]}"
  {
    [ -n "$(find /var/lib/apt/lists -name '*Packages*' -mtime -1 -print -quit 2> /dev/null)" ] || apt-get update -q || true
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -q --no-install-recommends "${wanted[@]}"
  } > "$LAB/apt.log" 2>&1 || die "apt-get could not install ${wanted[*]}: $(grep -m1 '^E:' "$LAB/apt.log") (all of it in $LAB/apt.log)"
}
