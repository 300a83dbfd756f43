import {
  Secret,
  all,
  attributeFields,
  change,
  compareAttributes,
  defineModule,
  file,
  followed,
  labelParams,
  map,
  masked,
  misplaced,
  nothing,
  p,
  probeLabels,
  probePlace,
  quote,
  rawShell,
  read,
  refuse,
  reveal,
  sh,
  stdoutText,
  withLabels,
  type FileState,
  type Op,
  type Plan,
  type Probe,
  type Values,
} from '#kit';

const params = {
  url: p.text('where it is: http, https or ftp', {required: true}),
  dest: p.string('the file on the host, or a folder that takes it by the name in the URL', {
    required: true,
    pattern: '^/[^\\x00]*$',
    describe: 'an absolute path',
  }),
  checksum: p.string('what it must be: `sha256:…` in hex', {
    pattern: '^(md5|sha1|sha224|sha256|sha384|sha512):[0-9A-Fa-f]{32,128}$',
    describe: 'a digest such as sha256:…',
  }),
  force: p.boolean('fetch it in every run', {default: false}),
  mode: p.mode('permission bits'),
  owner: p.string('user name or number'),
  group: p.string('group name or number'),
  timeout: p.integer('seconds for the whole of it', {default: 300, min: 1}),
  headers: p.map(p.text('its value'), 'further headers', {default: {}}),
  url_username: p.string('who logs in', {aliases: ['username']}),
  url_password: p.secret('with what', {aliases: ['password']}),
  validate_certs: p.boolean('the certificate must be good', {default: true}),
  http_agent: p.string('how to introduce oneself'),
  client_cert: p.path('certificate to log in with, on the host'),
  client_key: p.path('its key, on the host, where the certificate does not hold it'),
  ciphers: p.list(p.string('a cipher of OpenSSL'), 'which ciphers may be used', {default: []}),
  decompress: p.boolean('content that the server has packed for the way is unpacked', {default: true}),
  use_netrc: p.boolean('logins from ~/.netrc of the account that fetches', {default: true}),
  ca_path: p.path('certificates to trust, on the host'),
  force_basic_auth: p.boolean('accepted for compatibility: a login is sent with the first request anyway'),
  use_proxy: p.boolean('use the proxy that the environment names', {default: true}),
  backup: p.boolean('accepted for compatibility: `tsplay` keeps no copy of fetched files'),
  ...labelParams,
  tmp_dest: p.path('accepted for compatibility: it is fetched beside its place'),
};
type V = Values<typeof params>;

function place(v: V): {readonly path: string; readonly folder: boolean} {
  const tidy = v.dest.replace(/\/(\.?\/)+/g, '/');
  return {path: tidy.length > 1 ? tidy.replace(/\/$/, '') : tidy, folder: tidy.endsWith('/')};
}

/** The name that the URL gives: its last part. */
function nameOf(v: V): string {
  const path = reveal(v.url)
    .replace(/[?#].*$/, '')
    .replace(/^[a-z]+:\/\/[^/]*/i, '');
  return (
    path
      .split('/')
      .filter((part) => part !== '' && part !== '..')
      .at(-1) ?? 'index.html'
  );
}

function inside(folder: string, v: V): string {
  return `${folder === '/' ? '' : folder}/${nameOf(v)}`;
}

/** Digest of a file by another algorithm than the one that all files are read by. */
function digest(path: string, algorithm: string): Probe<string | undefined> {
  if (algorithm === 'sha256') return nothing<string | undefined>(undefined);
  return read(
    sh`[ -f ${path} ] && ${`${algorithm}sum`} -- ${path} | cut -d' ' -f1`,
    (reply) => stdoutText(reply).trim().replace(/^\\/, ''),
    {
      dependsOn: [`file:${path}`],
    },
  );
}

/** A file from the network, fetched by the host itself with curl or wget. *source*: Ansible's get_url; curl(1), wget(1). */
export default defineModule({
  name: 'get_url',
  summary: 'Fetch a file from the network to the host',
  params,
  everyRun: (v) => v.force && v.checksum === undefined,
  examples: [
    '- get_url:\n    url: http://downloads.example.test/thing-1.0.txt\n    dest: /srv/thing.txt\n    checksum: sha256:aa7c4bf7954448282ff0eb2bd3db9367c1b7ae835582b4792bcf91f4f1600bab\n    mode: "0640"\n',
    '- get_url:\n    url: http://downloads.example.test/thing-1.0.txt\n    dest: /srv/\n    headers: {X-Reason: mirror}\n',
  ],
  check: (v) => [
    ...(/^(https?|ftp):\/\/[^\s]+$/.test(reveal(v.url))
      ? []
      : [{code: 'bad-param', message: 'this is no URL of http, https or ftp', param: '/url'}]),
    ...(/^[a-z]+:\/\/[^/@]*:[^/@]*@/.test(reveal(v.url)) && !(v.url instanceof Secret)
      ? [
          {
            code: 'password-in-url',
            message: 'the URL holds a password, which everybody sees',
            param: '/url',
            help: 'use `url_username` and `url_password`',
          },
        ]
      : []),
    ...(v.url_password !== undefined && v.url_username === undefined
      ? [{code: 'missing-param', message: '`url_password` needs `url_username`', param: '/url_password'}]
      : []),
    ...Object.entries(v.headers).flatMap(([name, value]) =>
      /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name) && !/[\r\n]/.test(reveal(value))
        ? []
        : [{code: 'bad-param', message: `"${name}" is no header in one line`, param: '/headers'}],
    ),
  ],
  probe: (v) => {
    const {path, folder} = place(v);
    const algorithm = v.checksum?.split(':')[0] ?? 'sha256';
    const look = (at: string) =>
      map(all({state: file(at, {maxBytes: 8 * 1024 ** 3}), digest: digest(at, algorithm)}), (s) => s);
    return all({
      now: folder ? map(file(path), (state) => ({state, digest: undefined as string | undefined})) : look(path),
      inside: look(inside(path, v)),
      place: probePlace(path, v),
      labels: probeLabels(path, v),
      insideLabels: probeLabels(inside(path, v), v),
      tools: read(rawShell('command -v curl; command -v wget; :'), (reply) => stdoutText(reply), {
        dependsOn: ['package:curl', 'package:wget'],
      }),
    });
  },
  plan: (v, {now, inside: within, place: around, tools, labels, insideLabels}): Plan => {
    const {path: dest, folder} = place(v);
    const refusal = misplaced(dest, v, around, now.state.type === 'absent' && !folder);
    if (refusal !== undefined) return refusal;
    const isFolder = followed(now.state).type === 'directory';
    if (folder && !isFolder)
      return refuse('no-folder', `${dest} is not a directory`, {help: 'make it first: `file` with `state: directory`'});
    const path = isFolder ? inside(dest, v) : dest;
    const seen = isFolder ? within : now;
    const {state} = seen;
    if (state.type !== 'file' && state.type !== 'absent')
      return refuse('not-a-file', `${path} is a ${state.type}, not a regular file`);
    const right = isRight(v, state, seen.digest);
    if (right) {
      const {changes, ops} = state.type === 'file' ? compareAttributes(path, state, v) : {changes: [], ops: []};
      return withLabels(change(changes, ops), path, v, isFolder ? insideLabels : labels);
    }
    if (!tools.includes('/'))
      return refuse('no-program', 'there is neither `curl` nor `wget` on this host', {help: 'install `curl` first'});
    const {mode, ...owners} = attributeFields(
      {...v, mode: v.mode ?? (state.type === 'absent' ? '0644' : undefined)},
      0o644,
      false,
    );
    const ops: Op[] = [
      fetchOp(v, path, tools),
      ...(owners.owner === undefined && owners.group === undefined ? [] : [{op: 'chown' as const, path, ...owners}]),
      ...(mode === undefined ? [] : [{op: 'chmod' as const, path, mode}]),
    ];
    const before = state.type === 'absent' ? undefined : `sha256:${state.sha256 ?? '?'}`;
    const plan = change([{what: path, before, after: v.checksum ?? `from ${masked(v.url)}`}], ops);
    return withLabels(plan, path, v, isFolder ? insideLabels : labels);
  },
  result: (v) => ({url: masked(v.url), dest: v.dest, checksum_dest: v.checksum ?? null}),
});

function isRight(v: V, state: FileState, other: string | undefined): boolean {
  if (state.type !== 'file') return false;
  if (v.checksum === undefined) return !v.force;
  const [algorithm = '', wanted = ''] = v.checksum.toLowerCase().split(':');
  return (algorithm === 'sha256' ? state.sha256 : other) === wanted;
}

/**
 * Fetched beside its place, checked, then put there in one step. Everything that may be secret (the URL, the login, the headers) is in a
 * configuration that curl reads from stdin; wget gets a file that nobody else may read.
 */
function fetchOp(v: V, path: string, tools: string): Op {
  const [algorithm, wanted] = (v.checksum ?? '').toLowerCase().split(':');
  const curl = /^\S*\/curl$/m.test(tools);
  const judge =
    algorithm === undefined || wanted === undefined
      ? ''
      : `x=$(${algorithm}sum -- "$t" | cut -d' ' -f1); x=\${x#\\\\}
[ "$x" = ${wanted} ] || { echo "what has come is ${algorithm}:$x" >&2; exit 65; }
`;
  const get = curl
    ? `curl -q -fsSL ${v.use_proxy ? '' : "--noproxy '*' "}--max-time ${v.timeout} -K - -o "$t"`
    : `c=$(mktemp) || exit 74; cat >"$c"; wget -q --config="$c" ${v.use_proxy ? '' : '--no-proxy '}--timeout=${v.timeout} -O "$t" -i "$c.url"`;
  const script = `d=$(dirname -- ${quote(path)})
t=$(mktemp "$d/.tsplay-XXXXXX") || exit 74
c=
trap 'rm -f -- "$t"; [ -z "$c" ] || rm -f -- "$c" "$c.url"' EXIT
trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 143' TERM
${curl ? get : wgetScript(get)} || exit
${judge}if [ -e ${quote(path)} ]; then chmod --reference=${quote(path)} -- "$t"; chown --reference=${quote(path)} -- "$t"; else chmod 644 "$t"; fi
mv -f -- "$t" ${quote(path)}`;
  return {
    op: 'run',
    argv: ['/bin/sh'],
    script,
    stdin: curl ? curlConfig(v) : wgetConfig(v),
    affects: [`file:${path}`],
    timeoutMs: (v.timeout + 30) * 1000,
  };
}

function wgetScript(get: string): string {
  return get.replace('cat >"$c";', `( umask 077; IFS= read -r u; printf '%s\\n' "$u" >"$c.url"; cat >"$c" ) &&`);
}

/** *source*: curl(1), "--config": a value in quotes, with backslashes. */
function curlConfig(v: V): string | Secret {
  const line = (name: string, value: string | Secret): string | Secret =>
    value instanceof Secret ? value.map((text) => entry(name, text)) : entry(name, value);
  const entry = (name: string, value: string): string => `${name} = "${value.replace(/[\\"]/g, '\\$&')}"\n`;
  return Secret.join([
    line('url', v.url),
    ...(v.url_username === undefined
      ? []
      : [
          line(
            'user',
            v.url_password === undefined
              ? v.url_username
              : v.url_password.map((text) => `${v.url_username ?? ''}:${text}`),
          ),
        ]),
    ...Object.entries(v.headers).map(([name, value]) =>
      line('header', value instanceof Secret ? value.map((text) => `${name}: ${text}`) : `${name}: ${value}`),
    ),
    ...(v.validate_certs ? [] : ['insecure\n']),
    ...(v.http_agent === undefined ? [] : [line('user-agent', v.http_agent)]),
    ...(v.ca_path === undefined ? [] : [line('cacert', v.ca_path)]),
    ...(v.client_cert === undefined ? [] : [line('cert', v.client_cert)]),
    ...(v.client_key === undefined ? [] : [line('key', v.client_key)]),
    ...(v.ciphers.length === 0 ? [] : [line('ciphers', v.ciphers.join(':'))]),
    ...(v.decompress ? ['compressed\n'] : []),
    ...(v.use_netrc ? ['netrc-optional\n'] : []),
  ]);
}

/** The URL in the first line; then what wgetrc knows. *source*: the manual of GNU wget, "Wgetrc Commands". */
function wgetConfig(v: V): string | Secret {
  const set = (name: string, value: string | Secret): (string | Secret)[] => [`${name} = `, value, '\n'];
  return Secret.join([
    v.url,
    '\n',
    ...(v.url_username === undefined ? [] : set('user', v.url_username)),
    ...(v.url_password === undefined ? [] : set('password', v.url_password)),
    ...Object.entries(v.headers).flatMap(([name, value]) => [`header = ${name}: `, value, '\n']),
    ...(v.validate_certs ? [] : ['check_certificate = off\n']),
    ...(v.http_agent === undefined ? [] : set('user_agent', v.http_agent)),
    ...(v.ca_path === undefined ? [] : set('ca_certificate', v.ca_path)),
    ...(v.client_cert === undefined ? [] : set('certificate', v.client_cert)),
    ...(v.client_key === undefined ? [] : set('private_key', v.client_key)),
    ...(v.ciphers.length === 0 ? [] : set('ciphers', v.ciphers.join(':'))),
    ...(v.decompress ? ['compression = auto\n'] : []),
    ...(v.use_netrc ? [] : ['netrc = off\n']),
  ]);
}
