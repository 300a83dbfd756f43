#!/bin/bash
# Holds a namespace host's first process, and has the host started again when it has rebooted itself: reboot(2) in a PID namespace
# ends its first process by SIGHUP, poweroff by SIGINT (pid_namespaces(7)).
# namespace-hold.sh CGROUP NAME DIR LOWERDIRS DEBS INIT
cg=$1; shift
boot=${BASH_SOURCE[0]%/*}
(echo 0 > "$cg/cgroup.procs"; exec unshare -C -m -u -i -n -p --propagation private --kill-child=SIGKILL --fork bash "$boot/namespace-init.sh" "$@") &
echo $! > "$2/holder"
wait $!
[ $? != 129 ] || exec bash "$boot/../lab.sh" rebooted "$1" "$2"
