# The lab's network: a bridge in a namespace of its own, and one veth from this machine into it.
# Nothing is routed: hosts reach each other and this machine's end, and nothing behind it.

in_lab() { nsenter --net="$NETNS" "$@"; }

network_is_up() { mountpoint -q "$RUN" && [ -e "$NETNS" ] && mountpoint -q "$NETNS" && [ -e "/sys/class/net/$LINK" ]; }

# The addresses are the machine's: one lab at a time, and nothing else on 10.77.0.0/16.
check_network() {
  network_is_up && return 0
  if [ -e "/sys/class/net/$LINK" ] && ! mountpoint -q "$RUN"; then
    die "another lab is up on this machine: $(cat "/sys/class/net/$LINK/ifalias" 2> /dev/null)"
  fi
  ! ip -4 route | grep -v "dev $LINK" | grep -q '^10\.77\.' || die "10.77.0.0/16 is already used on this machine: $(ip -4 route | grep -m1 '^10\.77\.')"
}

network_up() {
  network_is_up && return 0
  network_down
  mkdir -p "$RUN" "$CG"
  mount -t tmpfs -o mode=711 tsplay-lab "$RUN"; mount --make-private "$RUN"
  : > "$NETNS"; unshare --net="$NETNS" true
  # A systemd host takes about four inotify instances of one limit for all of them (128): beyond it hosts hang silently.
  sysctl fs.inotify.max_user_instances fs.inotify.max_user_watches kernel.keys.maxkeys > "$RUN/sysctl.before"
  raise fs.inotify.max_user_instances 8192; raise fs.inotify.max_user_watches 524288; raise kernel.keys.maxkeys 2000
  # The unreachable route answers at once where a missing one would leave hosts waiting for a timeout.
  in_lab sh -c "ip link set lo up; ip link add br0 type bridge; ip addr add $BRIDGE_IP/16 dev br0; ip link set br0 up
    ip route add unreachable default; echo 1 > /proc/sys/net/ipv4/ip_forward"
  ip link add "$LINK" address 02:4d:00:00:ff:fe type veth peer name machine
  ip link set machine netns "$NETNS"; in_lab ip link set machine master br0 up
  echo 1 > "/proc/sys/net/ipv6/conf/$LINK/disable_ipv6" 2> /dev/null || true
  ip link set "$LINK" alias "tsplay lab in $LAB"; ip addr add "$MACHINE_IP/16" dev "$LINK"; ip link set "$LINK" up
  echo 0 > "/proc/sys/net/ipv4/conf/$LINK/forwarding"
}

raise() { [ "$(sysctl -n "$1")" -ge "$2" ] || sysctl -q -w "$1=$2"; }

network_down() {
  ip link del "$LINK" 2> /dev/null || true
  [ ! -e "$RUN/sysctl.before" ] || sysctl -q -p "$RUN/sysctl.before" > /dev/null
  ! mountpoint -q "$NETNS" || umount "$NETNS"
  ! mountpoint -q "$RUN" || umount "$RUN" 2> /dev/null || umount -l "$RUN"
  remove_cgroup "$CG"
}

# Removes a cgroup whose processes are gone or going.
remove_cgroup() {
  local i
  for i in $(seq 200); do
    [ -d "$1" ] || return 0
    find "$1" -depth -type d -exec rmdir {} + 2> /dev/null && return 0
    sleep 0.02
  done
  say "cgroup $1 is still in use" >&2
}
