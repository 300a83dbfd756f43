# Images: one Debian base tree, overlay layers on top of it, and the lab's package repository.
# Each lives in $LAB/images/NAME-STAMP, where STAMP is a hash of its recipe (images/NAME.sh): a changed recipe builds
# anew, and hosts that still run on the old image keep it.

RECIPE_FORMAT=1
SUITE=bookworm
MIRROR=${TSPLAY_LAB_MIRROR:-http://deb.debian.org/debian}
SECURITY=${TSPLAY_LAB_SECURITY_MIRROR:-http://deb.debian.org/debian-security}

image_stamp() {
  { echo "$RECIPE_FORMAT $SUITE $MIRROR"; cat "$here/images/base.sh"; [ "$1" = base ] || cat "$here/images/$1.sh"; } | sha256sum | cut -c1-10
}
image_dir() { echo "$LAB/images/$1-$(image_stamp "$1")"; }
image_ready() { [ -d "$(image_dir "$1")" ]; }

# Builds what is missing of base, the repository and the layers named. Layers are built side by side.
build_images() {
  local missing=() name jobs=() failed=
  for name in base repo "$@"; do image_ready "$name" || missing+=("$name"); done
  [ ${#missing[@]} -gt 0 ] || return 0
  exec 8> "$LAB/images.lock"
  flock -n 8 || { say "waiting for another build of the lab's images"; flock 8; }
  mkdir -p "$LAB/images" "$LAB/log" "$LAB/cache"
  sources > "$LAB/cache/sources.list"
  say "building images (once; log in $LAB/log): ${missing[*]}"
  image_ready base || build base || exit 1
  [ -n "$(find "$LAB/cache/lists" -name '*Packages*' -mmin -600 -print -quit 2> /dev/null)" ] || refresh_lists
  for name in "${missing[@]}"; do
    [ "$name" = base ] || image_ready "$name" || { build "$name" & jobs+=($!); }
  done
  for name in "${jobs[@]}"; do wait "$name" || failed=1; done
  exec 8>&-
  [ -z "$failed" ] || exit 1
}

build() {
  local name=$1 dir log started=$EPOCHREALTIME
  dir=$(image_dir "$name") log=$LAB/log/image-$name.log
  rm -rf "$dir.new"; mkdir -p "$dir.new"
  case $name in
    base) build_base "$dir.new" ;;
    repo) build_repo "$dir.new" ;;
    *) build_layer "$name" "$dir.new" ;;
  esac > "$log" 2>&1 8>&- || {
    printf 'lab: image %s failed; the end of %s:\n' "$name" "$log" >&2; tail -n 15 "$log" >&2
    rm -rf "$dir.new"; return 1
  }
  mv "$dir.new" "$dir"
  say "  image $name: $(since "$started"), $(du -sh "$dir" | cut -f1)"
}

sources() {
  printf 'deb %s %s main\n' "$MIRROR" $SUITE "$MIRROR" $SUITE-updates "$SECURITY" $SUITE-security
}

build_base() (
  set -eu; . "$here/images/base.sh"
  mmdebstrap --mode=root --variant=minbase --skip=check/empty --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt=force-unsafe-io --include="$(echo $packages | tr ' ' ,)" $SUITE "$1" < <(sources)
  root=$1; finish
)

# The package lists of the real mirror, shared by all layer builds.
refresh_lists() {
  rm -rf "$LAB/cache/lists"; mkdir -p "$LAB/cache/lists"
  in_tree "$LAB/cache/scratch" chroot_run apt-get -q update > "$LAB/log/lists.log" 2>&1 8>&- ||
    { tail -n 5 "$LAB/log/lists.log" >&2; die "the package lists of $MIRROR could not be fetched"; }
  rm -rf "$LAB/cache/scratch"
}

build_layer() (
  set -eu; . "$here/images/$1.sh"
  in_tree "$2" layer_inside
)
layer_inside() {
  [ -z "$packages" ] || chroot_run apt-get install -y -q --no-install-recommends $packages
  finish
}

build_repo() (
  set -eu; . "$here/images/repo.sh"
  mkdir -p "$1/debs/partial" "$1/layer"
  in_tree "$LAB/cache/scratch-repo" repo_download "$1/debs"
  rm -rf "$LAB/cache/scratch-repo" "$1/debs/partial" "$1/debs/lock"
  own_packages "$1/debs"
  cd "$1/debs"
  apt-ftparchive packages . > Packages; gzip -kf Packages
  apt-ftparchive -o APT::FTPArchive::Release::Origin=tsplay-lab -o APT::FTPArchive::Release::Suite=stable release . > /tmp/release.$$; mv /tmp/release.$$ Release
  chmod -R a+rX .
  # The hosts' lists: fetched here once, so that a first install needs no refresh.
  in_tree "$1/layer" repo_lists "$1/debs"
)
repo_download() { mount --bind "$1" "$root/var/cache/apt/archives"; chroot_run apt-get install -y -q --no-install-recommends --download-only $packages; }
repo_lists() {
  umount "$root/etc/apt/sources.list" "$root/var/lib/apt/lists"
  mount --bind "$1" "$root/srv/tsplay-repo"; chroot_run apt-get -q update
}

# in_tree UPPER COMMAND...: runs COMMAND (a function of this file) with $root = base with UPPER on top, ready for apt and
# chroot: the mirror's sources and lists, this machine's resolv.conf, services barred from starting.
in_tree() {
  local upper=$1; shift
  rm -rf "$upper.work" "$upper.tree"; mkdir -p "$upper" "$upper.work" "$upper.tree"
  export -f chroot_run layer_inside repo_download repo_lists 2> /dev/null
  export -f finish 2> /dev/null || true
  base=$(image_dir base) upper=$upper packages=${packages:-} LAB=$LAB unshare -m --propagation private bash -eu -c '
    root=$upper.tree
    mount -t overlay overlay -o "lowerdir=$base,upperdir=$upper,workdir=$upper.work" "$root"
    mount -t proc proc "$root/proc"; mount --rbind /dev "$root/dev"; mount -t tmpfs tmpfs "$root/run"; mount -t tmpfs tmpfs "$root/tmp"
    mount -t tmpfs tmpfs "$root/var/cache/apt"; mkdir -p "$root/var/cache/apt/archives/partial"
    mount --bind "$LAB/cache/lists" "$root/var/lib/apt/lists"
    mount --bind "$LAB/cache/sources.list" "$root/etc/apt/sources.list"
    mount --bind "$(readlink -f /etc/resolv.conf)" "$root/etc/resolv.conf"
    printf "#!/bin/sh\nexit 101\n" > "$root/usr/sbin/policy-rc.d"; chmod 755 "$root/usr/sbin/policy-rc.d"
    apt-config dump Acquire::http::Proxy > "$root/tmp/proxy.conf"
    "$@"
    rm -f "$root/usr/sbin/policy-rc.d"; sync -f "$upper"' _ "$@" || { rm -rf "$upper.work" "$upper.tree"; return 1; }
  rm -rf "$upper.work" "$upper.tree"
}
chroot_run() {
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive APT_CONFIG=/tmp/proxy.conf \
    ${http_proxy:+http_proxy="$http_proxy"} chroot "$root" "$@" < /dev/null
}
