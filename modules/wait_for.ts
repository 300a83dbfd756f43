import {Unknown, converged, defineModule, p, read, rawShell, refuse, sh, stdoutText} from '#kit';

/** Waits until a port answers, a path appears or a text stands in a file. It changes nothing; the waiting happens on the host. *source*: Ansible's wait_for. */
export default defineModule({
  name: 'wait_for',
  summary: 'Wait until a port, a path or a text is there (or gone)',
  params: {
    host: p.string('address to reach, as seen from the managed host', {default: '127.0.0.1'}),
    port: p.integer('TCP port', {min: 1, max: 65535}),
    path: p.path('a path that shall exist'),
    search_regex: p.string('extended regular expression that shall match in `path`'),
    state: p.choice(['started', 'present', 'stopped', 'absent', 'drained'], 'what to wait for', {default: 'started'}),
    timeout: p.integer('seconds to wait', {default: 300, min: 0}),
    delay: p.integer('seconds before the first look', {default: 0, min: 0}),
    sleep: p.integer('seconds between looks', {default: 1, min: 1}),
    connect_timeout: p.integer('seconds for one connection', {default: 5, min: 1}),
    msg: p.string('what to say when the time is over'),
    exclude_hosts: p.list(p.string('a host'), 'accepted for compatibility'),
    active_connection_states: p.list(p.string('a state'), 'accepted for compatibility'),
  },
  examples: ['- wait_for:\n    port: 22\n    timeout: 10\n'],
  check: (v) => [
    ...(v.port === undefined && v.path === undefined
      ? [{code: 'missing-param', message: 'one of `port` and `path` is needed'}]
      : []),
    ...(v.port !== undefined && v.path !== undefined
      ? [{code: 'bad-combination', message: '`port` and `path` exclude each other', param: '/path'}]
      : []),
  ],
  probe: (v) => {
    const gone = v.state === 'stopped' || v.state === 'absent' || v.state === 'drained';
    // Only sh and coreutils are certain: /proc/net/tcp shows listeners of this host; for other hosts bash or nc is needed.
    const portHex = (v.port ?? 0).toString(16).toUpperCase().padStart(4, '0');
    const local = ['127.0.0.1', 'localhost', '::1', '0.0.0.0'].includes(v.host);
    const test =
      v.path !== undefined
        ? v.search_regex === undefined
          ? sh`[ -e ${v.path} ]`
          : sh`grep -Eq -e ${v.search_regex} -- ${v.path} 2>/dev/null`
        : local
          ? rawShell(
              `cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -Eq '^ *[0-9]+: [0-9A-F]+:${portHex} [0-9A-F:]+ 0A '`,
            )
          : sh`if command -v nc >/dev/null 2>&1; then nc -z -w ${v.connect_timeout} ${v.host} ${v.port ?? 0}; elif command -v bash >/dev/null 2>&1; then timeout ${v.connect_timeout} bash -c ${`: < /dev/tcp/${v.host}/${v.port ?? 0}`} 2>/dev/null; else echo 'neither nc nor bash is there' >&2; exit 3; fi`;
    const fragment = sh`sleep ${v.delay}; n=0; while :; do if ( ${test} ); then r=0; else r=$?; [ $r -ne 3 ] || exit 3; fi; if [ ${rawShell(gone ? '$r -ne 0' : '$r -eq 0')} ]; then echo reached $n; exit 0; fi; [ $n -lt ${v.timeout} ] || exit 1; sleep ${v.sleep}; n=$((n+${v.sleep})); done`;
    return read(
      fragment,
      (reply) => ({exit: reply.exit, seconds: Number(/reached (\d+)/.exec(stdoutText(reply))?.[1] ?? 0)}),
      {
        dependsOn: ['port:*', 'unit:*', ...(v.path === undefined ? [] : ([`file:${v.path}`] as const))],
        timeoutMs: (v.timeout + v.delay + v.connect_timeout + 30) * 1000,
      },
    );
  },
  plan: (v, now) => {
    if (now.exit === 0) return converged();
    if (now.exit === 3) return refuse('missing-program', 'to reach another host, nc or bash must be installed here');
    const what = v.path === undefined ? `${v.host}:${v.port ?? 0}` : v.path;
    return refuse('timeout', v.msg ?? `${what} was not ${v.state} within ${v.timeout} s`);
  },
  result: (v, before, after) => ({
    state: v.state,
    port: v.port ?? null,
    path: v.path ?? null,
    elapsed: after instanceof Unknown ? 0 : before.seconds,
  }),
});
