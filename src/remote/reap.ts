// Ends what a fragment has started when its time is up. A watchdog beside each fragment would cost every run two processes
// a fragment; instead a second shell is started on the host only when it is needed. It knows the stuck fragment by its age,
// so that a fragment which began in the meantime is left alone.

/**
 * Shell text that kills the children of shell `pid` that are at least `ageMs` old, with all their descendants: TERM, and
 * KILL two seconds later. Needs /proc; only builtins until there is something to wait for.
 * *source*: proc(5): field 4 of `stat` is the parent, field 22 the start time in ticks (1/100 s on every platform of ours).
 */
export function reapScript(pid: number, ageMs: number): string {
  return `look() { l=; { read -r l </proc/$1/stat; } 2>/dev/null; [ -n "$l" ] || return 1; set -- \${l##*) }; parent=$2 start=\${20}; }
look $$ || exit 3
oldest=$((start - ${Math.max(0, Math.floor(ageMs / 10) - 2)}))
all= found=' '
for d in /proc/[0-9]*; do
  p=\${d#/proc/}
  look $p || continue
  all="$all $p:$parent"
  if [ "$parent" = ${pid} ] && [ "$start" -le $oldest ]; then found="$found$p "; fi
done
[ "$found" = ' ' ] && exit 4
more=1
while [ $more = 1 ]; do
  more=0
  for pair in $all; do
    case $found in *" \${pair%:*} "*) continue ;; esac
    case $found in *" \${pair#*:} "*) found="$found\${pair%:*} " more=1 ;; esac
  done
done
kill -TERM $found 2>/dev/null
for i in 1 2; do
  left=
  for p in $found; do kill -0 $p 2>/dev/null && left="$left $p"; done
  [ -z "$left" ] && exit 0
  sleep 1
done
kill -KILL $left 2>/dev/null
exit 0`;
}
