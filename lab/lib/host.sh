# Starting, stopping and entering hosts. A host's tree is base + layers + an upper directory in memory, so that a reset is
# a new upper directory. What outlives a reset is only its ssh host key.

# Up = somebody has logged in since it started. Alive = it has processes.
host_is_up() { [ -f "$RUN/hosts/$1/ready" ] && host_is_alive "$1"; }
host_is_alive() { [ -f "$RUN/hosts/$1/pid" ] && grep -q '^populated 1' "$CG/$1/cgroup.events" 2> /dev/null; }
running_hosts() { local h; for h in "$RUN"/hosts/*/pid; do [ ! -f "$h" ] || basename "$(dirname "$h")"; done; }

# The controller's key, every host's key, and the known_hosts file made from them.
make_access() {
  local h owner=${SUDO_UID:-0}:${SUDO_GID:-0}
  mkdir -p "$LAB/keys" "$LAB/state"; chmod 755 "$LAB"; chmod 711 "$LAB/keys"
  [ -f "$LAB/id" ] || ssh-keygen -q -t ed25519 -N '' -C tsplay-lab -f "$LAB/id"
  for h in $(named_hosts) "$@"; do make_host_key "$h"; done
  for h in "$LAB"/keys/*/; do
    h=$(basename "$h"); host_fields "$h" || continue
    printf '%s,%s,%s.lab %s\n' "$ip" "$h" "$h" "$(cut -d' ' -f1,2 "$LAB/keys/$h/ssh_host_ed25519_key.pub")"
  done > "$LAB/known_hosts.new"
  chmod 644 "$LAB/known_hosts.new"; mv "$LAB/known_hosts.new" "$LAB/known_hosts"
  # whoever brought the lab up uses it: what another account left in the state folder becomes theirs too
  chown -R "$owner" "$LAB/id" "$LAB/id.pub" "$LAB/state" "$LAB/known_hosts"; chmod 700 "$LAB/state"
}
make_host_key() {
  [ -f "$LAB/keys/$1/ssh_host_ed25519_key.pub" ] && return 0
  mkdir -p "$LAB/keys/$1"; rm -f "$LAB/keys/$1"/*
  ssh-keygen -q -t ed25519 -N '' -C "$1" -f "$LAB/keys/$1/ssh_host_ed25519_key"
}

# Writes what makes host $1 itself into its upper directory $2.
write_identity() {
  local name=$1 u=$2 h
  mkdir -p "$u/etc/ssh" "$u/root/.ssh" "$u/home/admin/.ssh" "$u/etc/sudoers.d" "$u/usr/local/lib/tsplay-lab"
  echo "$name" > "$u/etc/hostname"; echo -n "tsplay-lab-$name" | md5sum | cut -c1-32 > "$u/etc/machine-id"
  {
    echo '127.0.0.1 localhost'
    for h in $(named_hosts); do (host_fields "$h"; echo "$ip $h.lab $h"); done
    case $name in plain*) echo "$ip $name.lab $name" ;; esac
    echo "$MACHINE_IP controller.lab controller"
  } > "$u/etc/hosts"
  cp "$LAB/keys/$name"/ssh_host_ed25519_key* "$u/etc/ssh/"
  cp "$LAB/id.pub" "$u/root/.ssh/authorized_keys"; cp "$LAB/id.pub" "$u/home/admin/.ssh/authorized_keys"
  chmod 700 "$u/root" "$u/root/.ssh" "$u/home/admin" "$u/home/admin/.ssh"; chmod 600 "$u"/root/.ssh/* "$u"/home/admin/.ssh/*
  chown -R 1000:1000 "$u/home/admin"
  chmod 750 "$u/etc/sudoers.d"
  [ "$sudo" = passwd ] || { echo 'admin ALL=(ALL:ALL) NOPASSWD: ALL' > "$u/etc/sudoers.d/admin"; chmod 440 "$u/etc/sudoers.d/admin"; }
  case ,$layers, in
    *,kvm,*)
      mkdir -p "$u/etc/libvirt/qemu"
      sed "s/@UUID@/$(echo -n "debianx-$name" | md5sum | sed -E 's/(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/\1-\2-4\3-a\4-\5/')/" \
        "$here/boot/debianx.xml" > "$u/etc/libvirt/qemu/debianx.xml"
      chmod 600 "$u/etc/libvirt/qemu/debianx.xml"
      # What libvirt learnt about this QEMU on an earlier boot, which takes it seconds; it checks for itself that it still holds.
      [ ! -d "$(image_dir kvm).learnt" ] || { mkdir -p "$u/var/cache/libvirt"; cp -a "$(image_dir kvm).learnt" "$u/var/cache/libvirt/qemu"; } ;;
    *,client,*) install -m 755 "$here/boot/spice-probe.py" "$u/usr/local/lib/tsplay-lab/spice-probe.py" ;;
  esac
}

# host_up NAME [keep|DIR]: starts the host and waits for a login; prints its line. Expects images, network and keys.
# With keep it stops the host first and starts it again on the tree and disks it had: a reboot. With a directory only if that is still the
# host's: one that was reset or taken down while it rebooted is left alone.
host_up() {
  local name=$1 keep=${2:-} started=$EPOCHREALTIME d old
  exec 7> "$LAB/keys/$name/lock"; flock 7
  host_fields "$name"
  [[ $keep != /* ]] || [ -d "$keep" ] || return 0
  if [ -z "$keep" ] && host_is_up "$name"; then printf '%-10s %-12s already up\n' "$name" "$ip"; return 0; fi
  for old in "$RUN/hosts/$name"/boot.*; do :; done
  [ -n "$keep" ] && [ -d "$old/upper" ] || { old=; keep=; }
  stop_processes "$name"
  [ -n "$keep" ] || rm -rf "${RUN:?}/hosts/$name"
  mkdir -p "$RUN/hosts/$name" "$CG/$name"; d=$(mktemp -d "$RUN/hosts/$name/boot.XXXXXX"); chmod 755 "$d"
  mkdir "$d/root" "$d/work"
  if [ -n "$keep" ]; then
    rm -f "$RUN/hosts/$name"/{ready,pid}; mv "$old/upper" "$d/"; mv "$old"/disk*.img "$d/" 2> /dev/null || true; rm -rf "$old"
  else
    mkdir -m 755 "$d/upper"; write_identity "$name" "$d/upper"
  fi
  case $kind in uml) start_uml "$name" "$d" ;; *) start_namespaces "$name" "$d" ;; esac
  if ! wait_for_login "$name"; then
    printf 'lab: %s did not answer ssh in time; the end of its console:\n' "$name" >&2
    tail -n 15 "$RUN/hosts/$name/console.log" >&2
    return 1
  fi
  : > "$RUN/hosts/$name/ready"
  case ,$layers, in *,kvm,*) [ -d "$(image_dir kvm).learnt" ] || learn_qemu "$name" "$d" ;; esac
  printf '%-10s %-12s up in %s\n' "$name" "$ip" "$(since "$started")"
}

lower_dirs() {
  local l lower
  lower=$(image_dir repo)/layer:$(image_dir base)
  for l in ${layers//,/ }; do lower=$(image_dir "$l"):$lower; done
  echo "$lower"
}

start_namespaces() {
  local name=$1 d=$2 init=$kind lower debs sup pid i
  lower=$(lower_dirs) debs=$(image_dir repo)/debs
  setsid bash "$here/boot/namespace-hold.sh" "$CG/$name" "$name" "$d" "$lower" "$debs" "$init" \
    < /dev/null > "$RUN/hosts/$name/console.log" 2>&1 7>&- 9>&- &
  for i in $(seq 600); do
    [ -n "${sup:-}" ] || read -r sup 2> /dev/null < "$d/holder" || true
    [ -z "${sup:-}" ] || read -r pid _ 2> /dev/null < "/proc/$sup/task/$sup/children" || true
    [ -z "${pid:-}" ] || break
    sleep 0.005
  done
  [ -n "${pid:-}" ] || die "$name did not start: $(tail -n 1 "$RUN/hosts/$name/console.log")"
  for i in $(seq 600); do [ "$(readlink "/proc/$pid/ns/net")" != "$(readlink /proc/self/ns/net)" ] && break; sleep 0.005; done
  echo "$pid" > "$RUN/hosts/$name/pid"
  in_lab ip link del "v-$name" 2> /dev/null || true
  # A fixed address on the wire: neighbours keep the old one for half a minute after a restart.
  in_lab ip link add "v-$name" type veth peer name eth0 address "$(mac_of "$ip")" netns "$pid"
  in_lab ip link set "v-$name" master br0 up
  nsenter -t "$pid" -n sh -c "ip link set lo up; ip addr add $ip/16 dev eth0; ip link set eth0 up; ip route add default via $BRIDGE_IP"
  : > "$d/go"
}

mac_of() { local IFS=.; set -- $1; printf '02:4d:%02x:%02x:%02x:%02x' "$1" "$2" "$3" "$4"; }

start_uml() {
  local name=$1 d=$2
  [ -c /dev/net/tun ] || die "$name needs /dev/net/tun on this machine"
  [ -e "$d/disk0.img" ] || { truncate -s 320M "$d/disk0.img"; truncate -s 64M "$d/disk1.img"; }
  install -m 755 "$here/boot/uml-init.sh" "$d/upper/usr/local/lib/tsplay-lab/init"
  in_lab ip link del "t-$name" 2> /dev/null || true
  in_lab ip tuntap add "t-$name" mode tap; in_lab ip link set "t-$name" master br0 up
  setsid bash -c 'echo 0 > "$1/cgroup.procs"; shift; exec unshare -m -p --propagation private --kill-child=SIGKILL --fork --mount-proc bash "$@"' \
    _ "$CG/$name" "$here/boot/uml-start.sh" "$name" "$ip" "$d" "$(lower_dirs)" "$(image_dir repo)/debs" "$NETNS" "$(mac_of "$ip")" "$(image_dir crypt)/usr/bin/linux.uml" \
    < /dev/null > "$RUN/hosts/$name/console.log" 2>&1 7>&- 9>&- &
  echo $! > "$RUN/hosts/$name/pid"
}

wait_for_login() {
  local name=$1 limit=30 until
  [ "$kind" != uml ] || limit=90
  until=$((SECONDS + limit))
  while [ $SECONDS -lt $until ]; do
    ssh_to "$name" admin -o ConnectTimeout=2 true > /dev/null 2>&1 < /dev/null && return 0
    host_is_alive "$name" || return 1
    sleep 0.05
  done
  return 1
}

learn_qemu() {
  local cache=$2/upper/var/cache/libvirt/qemu keep
  host_exec "$1" virsh -q -c qemu:///system domcapabilities --virttype qemu > /dev/null || return 0
  keep=$(image_dir kvm).learnt
  rm -rf "$keep.$1"; cp -a "$cache" "$keep.$1" && { mv -T "$keep.$1" "$keep" 2> /dev/null || rm -rf "$keep.$1"; }
}

host_down() {
  [ -d "$LAB/keys/$1" ] || return 0
  exec 7> "$LAB/keys/$1/lock"; flock 7
  stop_processes "$1"; rm -rf "${RUN:?}/hosts/$1"; exec 7>&-
}

# Ends everything that runs in a host, and takes its network port away.
stop_processes() {
  local name=$1 i p
  if [ -d "$CG/$name" ]; then
    if [ -e "$CG/$name/cgroup.kill" ]; then echo 1 > "$CG/$name/cgroup.kill"
    else for i in 1 2 3; do for p in $(find "$CG/$name" -name cgroup.procs -exec cat {} +); do kill -KILL "$p" 2> /dev/null || true; done; done; fi
    for i in $(seq 500); do grep -q '^populated 0' "$CG/$name/cgroup.events" && break; sleep 0.01; done
    remove_cgroup "$CG/$name"
  fi
  if [ -e "$NETNS" ]; then in_lab ip link del "v-$name" 2> /dev/null || in_lab ip link del "t-$name" 2> /dev/null || true; fi
}

# ssh_to HOST USER [OPTION...] [COMMAND]
ssh_to() {
  local host=$1 user=$2 kind ip layers sudo; shift 2
  host_fields "$host"
  ssh -F none -i "$LAB/id" -o IdentitiesOnly=yes -o UserKnownHostsFile="$LAB/known_hosts" -o GlobalKnownHostsFile=none \
    -o StrictHostKeyChecking=yes -o PasswordAuthentication=no -o LogLevel=ERROR -l "$user" "$ip" "$@"
}

# host_exec HOST COMMAND...: as root inside the host, not through its sshd (except on User-Mode Linux, which has no other door).
host_exec() {
  local name=$1 p kind ip layers sudo; shift
  host_fields "$name"; host_is_alive "$name" || die "$name is not up (npm run lab -- up $name)"
  if [ "$kind" = uml ]; then ssh_to "$name" root -- "$(printf '%q ' "$@")"; return; fi
  p=$(cat "$RUN/hosts/$name/pid")
  (
    mkdir -p "$CG/$name/lab-exec"; echo 0 > "$CG/$name/lab-exec/cgroup.procs"
    exec nsenter -t "$p" -m -u -i -n -p -C -r -w env -i HOME=/root TERM="${TERM:-dumb}" LANG=C.UTF-8 ${SPICE_PASSWORD+SPICE_PASSWORD="$SPICE_PASSWORD"} \
      PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
  )
}
