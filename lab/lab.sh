#!/bin/bash
# lab.sh: real test hosts on this machine. `lab.sh help` says how.
set -euo pipefail
umask 022; PATH=$PATH:/usr/sbin:/sbin
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
for part in config machine network images host; do . "$here/lib/$part.sh"; done

usage() {
  cat << 'EOF'
usage: npm run lab -- COMMAND

  up [HOST...]        start hosts (default: kvm1 kvm2 client1 crypt1); builds the images the first time
  down [HOST...]      stop hosts; without names stop all and take the network away
  reset HOST...       back to the bare state (new tree, same address and ssh host key)
  restart HOST...     a hard reboot: processes, /run and /tmp go, files and disks stay
  status              what is up
  is-up               exit status 0 if the lab is up (for scripts)
  ssh [USER@]HOST [COMMAND...]   log in (as admin)
  exec HOST COMMAND...           run as root inside the host, without ssh
  clean               remove images that no recipe names any more

Other hosts: busybox1, bare1 ... bare9 (Debian, nothing else), py1 ... py4 (with Python, for Ansible), plain1 ... plain500 (sshd only).
EOF
}

# bring_up KEEP HOST...: brings hosts up side by side, a few at a time; fails if one of them fails.
bring_up() {
  local keep=$1 h layers_wanted=() failed=; shift
  for h in "$@"; do require_host "$h"; layers_wanted+=(${layers//,/ }); done
  check_machine; install_missing; check_network
  build_images $(printf '%s\n' "${layers_wanted[@]}" | sort -u)
  exec 9> "$LAB/lock"; flock 9
  network_up; make_access "$@"
  exec 9>&-
  for h in "$@"; do
    while [ "$(jobs -rp | wc -l)" -ge 12 ]; do wait -n || true; done
    (set -E; trap 'say "lab: $h: $BASH_COMMAND: exit status $?" >&2' ERR; host_up "$h" "$keep") &
  done
  wait
  for h in "$@"; do host_is_up "$h" || { failed=1; say "lab: $h is not up" >&2; }; done
  [ -z "$failed" ] || exit 1
}

take_down() {
  local h jobs=()
  for h in "$@"; do (host_down "$h") & jobs+=($!); done
  for h in "${jobs[@]}"; do wait "$h"; done
}

command=${1:-help}; [ $# -eq 0 ] || shift
case $command in
  up)
    need_root up "$@"
    started=$EPOCHREALTIME
    [ $# -gt 0 ] || set -- $DEFAULT_HOSTS
    bring_up "" "$@"
    [ $# -le 1 ] || say "$# hosts in $(since "$started")" ;;
  down)
    need_root down "$@"
    for h in "$@"; do require_host "$h"; done
    if mountpoint -q "$RUN"; then
      if [ $# -gt 0 ]; then take_down "$@"; say "down: $*"
      else
        exec 9> "$LAB/lock"; flock 9
        take_down $(running_hosts); network_down
        say "the lab is down; its images stay in $LAB"
      fi
    else
      network_down; say "the lab is not up"
    fi ;;
  reset)
    need_root reset "$@"
    [ $# -gt 0 ] || die "reset which host?"
    for h in "$@"; do require_host "$h"; done
    ! mountpoint -q "$RUN" || take_down "$@"
    bring_up "" "$@" ;;
  restart)
    need_root restart "$@"
    [ $# -gt 0 ] || die "restart which host?"
    bring_up keep "$@" ;;
  rebooted) # HOST DIR: by boot/namespace-hold.sh, for a host that has rebooted itself
    require_host "$1"; host_up "$1" "$2" ;;
  status)
    network_is_up || { say "the lab is not up (npm run lab -- up)"; exit 0; }
    for h in $( { named_hosts; running_hosts; } | awk '!seen[$0]++'); do
      host_fields "$h"; host_is_up "$h" && state=up || state=-
      printf '%-10s %-12s %-8s %s\n' "$h" "$ip" "$kind" "$state"
    done ;;
  is-up) network_is_up ;;
  ssh)
    [ $# -gt 0 ] || die "ssh to which host?"
    target=$1 user=admin; shift
    case $target in *@*) user=${target%%@*} target=${target#*@} ;; esac
    require_host "$target"
    [ -r "$LAB/id" ] || need_root ssh "$user@$target" "$@"
    ssh_to "$target" "$user" -- "$@" ;;
  exec)
    [ $# -ge 2 ] || die "usage: exec HOST COMMAND..."
    need_root exec "$@"
    require_host "$1"; host_exec "$@" ;;
  clean)
    need_root clean
    keep=" $(for i in "$here"/images/*.sh; do basename "$(image_dir "$(basename "$i" .sh)")"; done | paste -sd' ') "
    for i in "$LAB"/images/*; do
      n=$(basename "$i"); n=${n%.learnt}
      [[ $keep == *" $n "* ]] || grep -qs "$LAB/images/$n" /proc/[0-9]*/mounts || { rm -rf "$i"; say "removed $i"; }
    done ;;
  help | -h | --help) usage ;;
  *) usage >&2; exit 2 ;;
esac
