# Where the lab keeps its things, what hosts there are, and how it speaks.

LAB=${TSPLAY_LAB:-/var/lib/tsplay-lab}
RUN=$LAB/run                    # tmpfs while the lab is up: namespaces, host trees
NETNS=$RUN/netns                # the network namespace that holds the bridge
LINK=tsplay0                    # this machine's end of the veth into the lab
BRIDGE_IP=10.77.0.1
MACHINE_IP=10.77.255.254
DEFAULT_HOSTS="kvm1 kvm2 client1 crypt1"
ADMIN_PASSWORD=admin-lab-only   # of the account admin on every host; known to everybody, worth nothing outside the lab
CGROUPS=/sys/fs/cgroup/unified; [ -d $CGROUPS ] || CGROUPS=/sys/fs/cgroup
CG=$CGROUPS/tsplay-lab

say() { printf '%s\n' "$*"; }
die() { printf 'lab: %s\n' "$*" >&2; exit 1; }

# Seconds since $1 (an earlier $EPOCHREALTIME), with one decimal.
since() {
  local tenths=$(((${EPOCHREALTIME/[.,]/} - ${1/[.,]/}) / 100000))
  printf '%d.%d s' $((tenths / 10)) $((tenths % 10))
}

# Sets kind, ip, layers, sudo of host $1; fails for a name that is no lab host.
host_fields() {
  local line n
  if [[ $1 =~ ^plain([1-9][0-9]{0,2})$ ]] && n=${BASH_REMATCH[1]} && [ "$n" -le 500 ]; then
    kind=sshd ip=10.77.$((1 + (n - 1) / 250)).$(((n - 1) % 250 + 1)) layers= sudo=nopasswd
    return
  fi
  line=$(grep -E "^$1	" "$here/hosts.tsv") || return 1
  IFS=$'\t' read -r _ kind ip layers sudo <<< "$line"
  [ "$layers" != - ] || layers=
}

named_hosts() { grep -v '^#' "$here/hosts.tsv" | cut -f1; }

require_host() {
  host_fields "$1" || die "no such host: $1 (there are $(named_hosts | paste -sd' ') and plain1 ... plain500)"
}
