import {
  change,
  converged,
  defineModule,
  p,
  rawShell,
  read,
  refuse,
  sh,
  type Key,
  type Probe,
  type ShellText,
  type Values,
} from '#kit';
import {pythonRegExp} from '#formats/python-regexp';

const params = {
  host: p.string('address to reach, as seen from the managed host', {default: '127.0.0.1'}),
  port: p.integer('TCP port', {min: 1, max: 65535}),
  path: p.path('a path that shall exist'),
  search_regex: p.string('expression that shall match in `path`, or in what the server at `port` says first'),
  state: p.choice(['started', 'present', 'stopped', 'absent', 'drained'], 'what to wait for', {default: 'started'}),
  timeout: p.integer('seconds to wait', {default: 300, min: 0}),
  delay: p.integer('seconds before the first look', {default: 0, min: 0}),
  sleep: p.integer('seconds between looks', {default: 1, min: 1}),
  connect_timeout: p.integer('seconds for one connection', {default: 5, min: 1}),
  msg: p.string('what to say when the time is over'),
  active_connection_states: p.list(p.string('a state'), 'accepted for compatibility: every connection counts'),
};
type V = Values<typeof params>;

const here = ['127.0.0.1', 'localhost', '::1', '0.0.0.0', '::'];

/** Exits 0 where it is as wanted, 1 where not yet, 3 where this host has no program to find out. */
function look(v: V): ShellText {
  const gone = v.state === 'stopped' || v.state === 'absent' || v.state === 'drained';
  const test = v.path === undefined ? lookAtPort(v, v.port ?? 0) : lookAtPath(v.path, v.search_regex);
  return gone ? sh`( ${test} ); r=$?; [ $r -ne 3 ] || exit 3; [ $r -ne 0 ]` : sh`( ${test} )`;
}

function lookAtPath(path: string, expression: string | undefined): ShellText {
  return expression === undefined ? sh`[ -e ${path} ]` : sh`${matches(expression)} -- ${path} 2>/dev/null`;
}

/** grep with the expression; most know Perl's, which is Python's for what people write here. */
function matches(expression: string): ShellText {
  return sh`if echo | grep -Pq '^$' 2>/dev/null; then k=-P; else k=-E; fi; grep -q -a $k -e ${expression}`;
}

/**
 * Only sh and coreutils are certain: /proc tells of this host's own sockets (state 0A listens, 06 is over); another host's, and what a server says,
 * need nc or bash.
 */
function lookAtPort(v: V, port: number): ShellText {
  const sockets = (state: string): ShellText =>
    rawShell(
      `cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -Eq '^ *[0-9]+: [0-9A-F]+:${port.toString(16).toUpperCase().padStart(4, '0')} [0-9A-F:]+ ${state} '`,
    );
  if (v.search_regex === undefined && here.includes(v.host))
    return sockets(v.state === 'drained' ? '(0[1-57-9B]|0A)' : '0A');
  const talk =
    v.search_regex === undefined ? sh`:` : sh`dd bs=4096 count=1 <&3 2>/dev/null | { ${matches(v.search_regex)}; }`;
  const bash = `exec 3<>"/dev/tcp/$1/$2" && { ${talk.shell}; }`;
  const nc =
    v.search_regex === undefined
      ? sh`nc -z -w ${v.connect_timeout} ${v.host} ${port} >/dev/null 2>&1`
      : sh`nc -w ${v.connect_timeout} ${v.host} ${port} </dev/null 2>/dev/null | { ${matches(v.search_regex)}; }`;
  return sh`if command -v bash >/dev/null 2>&1; then timeout ${v.connect_timeout} bash -c ${bash} bash ${v.host} ${port} 2>/dev/null; elif command -v nc >/dev/null 2>&1; then ${nc}; else exit 3; fi`;
}

/** One look, without waiting: 'yes', 'not yet', or that nobody can tell. */
function probeOnce(v: V): Probe<'yes' | 'no' | 'unable'> {
  const dependsOn: Key[] = ['port:*', 'unit:*', ...(v.path === undefined ? [] : ([`file:${v.path}`] as const))];
  return read(look(v), (reply) => (reply.exit === 0 ? 'yes' : reply.exit === 3 ? 'unable' : 'no'), {
    dependsOn,
    timeoutMs: (v.connect_timeout + 30) * 1000,
  });
}

/**
 * Waits on the host until a port answers, a path appears or a text stands in a file. What is there already costs a look and no waiting.
 * *source*: Ansible's wait_for.
 */
export default defineModule({
  name: 'wait_for',
  summary: 'Wait until a port, a path or a text is there (or gone)',
  params,
  everyRun: (v) => v.port === undefined && v.path === undefined,
  examples: ['- wait_for:\n    port: 22\n    timeout: 10\n'],
  check: (v) => {
    const made = v.search_regex === undefined ? undefined : pythonRegExp(v.search_regex, {multiline: true});
    return [
      ...(v.port !== undefined && v.path !== undefined
        ? [{code: 'bad-combination', message: '`port` and `path` exclude each other', param: '/path'}]
        : []),
      ...(v.search_regex !== undefined && v.port === undefined && v.path === undefined
        ? [{code: 'missing-param', message: '`search_regex` needs `port` or `path`', param: '/search_regex'}]
        : []),
      ...(v.path !== undefined && v.state === 'drained'
        ? [{code: 'bad-combination', message: 'state drained is for `port`', param: '/state'}]
        : []),
      ...(made === undefined || made.ok
        ? []
        : made.problems.map(({code, message}) => ({code, message, param: '/search_regex'}))),
    ];
  },
  probe: probeOnce,
  plan: (v, now) => {
    if (v.port === undefined && v.path === undefined)
      return change(
        [{what: 'wait', before: undefined, after: `${v.timeout} s`}],
        [{op: 'run', argv: ['sleep', String(v.timeout)], affects: [], timeoutMs: (v.timeout + 30) * 1000}],
      );
    if (now === 'yes') return converged();
    if (now === 'unable')
      return refuse(
        'missing-program',
        'to reach another host, or to hear what a server says, bash or nc is needed here',
      );
    const what = `${v.path ?? `${v.host}:${v.port ?? 0}`}${v.search_regex === undefined ? '' : ` with ${v.search_regex}`}`;
    const late = v.msg ?? `${what} was not ${v.state} within ${v.timeout} s`;
    const script = sh`sleep ${v.delay}
n=0
until ${look(v)}; do
[ $n -lt ${v.timeout} ] || { echo ${late} >&2; exit 1; }
sleep ${v.sleep}
n=$((n+${v.sleep}))
done
echo $n`;
    return change(
      [
        {
          what,
          before: v.state === 'started' || v.state === 'present' ? 'not there yet' : 'still there',
          after: v.state,
        },
      ],
      [
        {
          op: 'run',
          argv: ['/bin/sh', '-c', script.shell],
          affects: [],
          predicts: probeOnce(v).reads.map(({key}) => ({key, value: 'yes'})),
          output: true,
          timeoutMs: (v.timeout + v.delay + v.connect_timeout + 30) * 1000,
        },
      ],
    );
  },
  result: (v, _before, _after, outputs) => ({
    state: v.state,
    port: v.port ?? null,
    path: v.path ?? null,
    elapsed: Number(new TextDecoder().decode(outputs[0]?.stdout).trim() || 0) + (outputs.length > 0 ? v.delay : 0),
  }),
});
