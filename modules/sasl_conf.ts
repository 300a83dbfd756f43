import {
  settingLine,
  lineChange,
  Secret,
  all,
  attributeFields,
  change,
  compareAttributes,
  converged,
  defineModule,
  file,
  isNonEmpty,
  list,
  nearestName,
  nothing,
  p,
  packageState,
  platformOf,
  platforms,
  powerCycle,
  presentText,
  refuse,
  refuseAll,
  reveal,
  rewrite,
  runningGuests,
  type Change,
  type Op,
  type Problem,
  type RunningGuest,
  type Values,
} from '#kit';
import {
  brokenSaslLines,
  mechanismsOf,
  parseSaslConf,
  printSaslConf,
  removeSaslKey,
  sameSaslValue,
  saslValue,
  setSaslKey,
  type SaslConf,
} from '#formats/sasl-conf';

const params = {
  service: p.string(
    'the name under which the program asks for its SASL settings (QEMU: `qemu`; its PAM service is another one, `spice`)',
    {
      default: 'qemu',
      pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]*$',
      describe: 'a service name',
    },
  ),
  mech_list: p.list(p.string('a mechanism'), 'mechanisms that are offered, such as `[plain]` or `[scram-sha-256]`'),
  pwcheck_method: p.string('who judges a password: auxprop (the sasldb), saslauthd'),
  auxprop_plugin: p.string('where auxprop finds passwords: sasldb, sql, ldapdb'),
  sasldb_path: p.path('the database of users'),
  saslauthd_path: p.path("saslauthd's socket"),
  log_level: p.integer('0 (silent) to 7 (passwords in the log)', {min: 0, max: 7}),
  options: p.map(p.any('text, a number, a boolean, or null'), 'further settings by their names; null takes one out'),
  allow_weak: p.boolean('accept mechanisms whose cryptography is broken', {default: false}),
  path: p.path('the file; default /etc/sasl2/SERVICE.conf'),
  owner: p.string('user name or number'),
  group: p.string('group name or number'),
  mode: p.mode('permission bits; a new file gets 0644'),
  state: p.choice(['present', 'absent'], 'whether the file shall be there', {default: 'present'}),
};
type V = Values<typeof params>;

/** Broken or no cryptography, or no authentication at all. *source*: RFC 6331 (DIGEST-MD5 to historic), RFC 4757, cyrus-sasl's documentation. */
const weakMechanisms = new Set([
  'DIGEST-MD5',
  'CRAM-MD5',
  'NTLM',
  'PASSDSS-3DES-1',
  'KERBEROS_V4',
  'ANONYMOUS',
  'SKEY',
]);
/** These hand the password itself over, which is the only thing that saslauthd can judge. */
const plainMechanisms = new Set(['PLAIN', 'LOGIN']);
/** These do not ask any pwcheck_method. */
const ticketMechanisms = new Set(['GSSAPI', 'GSS-SPNEGO', 'EXTERNAL', 'GS2-KRB5', 'GS2-IAKERB']);
const knownMechanisms = new Set([
  ...weakMechanisms,
  ...plainMechanisms,
  ...ticketMechanisms,
  'SCRAM-SHA-1',
  'SCRAM-SHA-224',
  'SCRAM-SHA-256',
  'SCRAM-SHA-384',
  'SCRAM-SHA-512',
  'OTP',
  'SRP',
]);

const pathOf = (v: V): string => v.path ?? `/etc/sasl2/${v.service}.conf`;

/** What the playbook says of the file, as text by key; undefined = take it out. */
function wantedKeys(v: V): ReadonlyMap<string, string | Secret | undefined> {
  const wanted = new Map<string, string | Secret | undefined>();
  const put = (key: string, value: string | Secret | undefined): void => void wanted.set(key, value);
  if (v.mech_list !== undefined) put('mech_list', mechanismWords(v).join(' '));
  if (v.pwcheck_method !== undefined) put('pwcheck_method', v.pwcheck_method);
  if (v.auxprop_plugin !== undefined) put('auxprop_plugin', v.auxprop_plugin);
  if (v.sasldb_path !== undefined) put('sasldb_path', v.sasldb_path);
  if (v.saslauthd_path !== undefined) put('saslauthd_path', v.saslauthd_path);
  if (v.log_level !== undefined) put('log_level', String(v.log_level));
  for (const [key, value] of Object.entries(v.options ?? {})) put(key, optionText(value));
  return wanted;
}

/** `mech_list: plain login` is as good as a list. */
const mechanismWords = (v: V): string[] =>
  (v.mech_list ?? []).flatMap((word) => word.split(/\s+/)).filter((word) => word !== '');

function optionText(value: unknown): string | Secret | undefined {
  if (value === null || value === undefined) return undefined;
  if (value instanceof Secret) return value;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.map(String).join(' ');
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** Why a combination is refused; nothing where it holds. `mechanisms` undefined = every installed one is offered. */
function misfits(
  mechanisms: readonly string[] | undefined,
  pwcheck: string | undefined,
  allowWeak: boolean,
): Problem[] {
  const problems: Problem[] = [];
  const weak = (mechanisms ?? []).filter((name) => weakMechanisms.has(name));
  if (weak.length > 0 && !allowWeak)
    problems.push({
      code: 'weak-mechanism',
      message: `${weak.map((name) => name.toLowerCase()).join(', ')}: broken cryptography, or no authentication`,
      param: '/mech_list',
      help: 'mech_list: [scram-sha-256], or [plain] inside TLS; `allow_weak: true` where an old client leaves no choice',
    });
  const methods = (pwcheck ?? '').split(/\s+/);
  if (methods.includes('alwaystrue') && !allowWeak)
    problems.push({
      code: 'weak-mechanism',
      message: 'pwcheck_method alwaystrue lets everybody in',
      param: '/pwcheck_method',
      help: 'pwcheck_method: auxprop, or saslauthd',
    });
  if (methods.includes('saslauthd') && !methods.includes('auxprop')) {
    const impossible = mechanisms?.filter((name) => !plainMechanisms.has(name) && !ticketMechanisms.has(name)) ?? [];
    if (mechanisms === undefined)
      problems.push({
        code: 'impossible-combination',
        message:
          'without a mech_list every installed mechanism is offered, and saslauthd can judge plain and login only',
        param: '/pwcheck_method',
        help: 'mech_list: [plain]',
      });
    else if (impossible.length > 0)
      problems.push({
        code: 'impossible-combination',
        message: `saslauthd judges plain passwords only, so ${impossible.map((name) => name.toLowerCase()).join(', ')} can never succeed, and clients choose it first`,
        param: '/mech_list',
        help: 'mech_list: [plain] with saslauthd, or pwcheck_method: auxprop with a sasldb',
      });
  }
  return problems;
}

const pluginPackages = [...new Set(platforms.flatMap((row) => Object.values(row.saslPlugins)))];

/** A guest's QEMU read the file when it started. */
const consoles = (v: V, guests: readonly RunningGuest[], changedS: number): readonly RunningGuest[] =>
  v.service === 'qemu' ? guests.filter((guest) => guest.sasl && guest.startedS < changedS) : [];

/** Settings of a program that uses Cyrus SASL. *source*: cyrus-sasl's options documentation; behaviour seen with 2.1.28. */
export default defineModule({
  name: 'sasl_conf',
  summary: 'SASL settings of a service: mechanisms, and who judges passwords',
  params,
  examples: [
    '- sasl_conf:\n    service: qemu\n    mech_list: [scram-sha-256, plain]\n    pwcheck_method: auxprop\n    sasldb_path: /var/spice/sasl/passwd.db\n',
    '- sasl_conf:\n    service: qemu\n    mech_list: [plain]\n    pwcheck_method: saslauthd\n',
  ],
  check: (v) => {
    const names = mechanismsOf(mechanismWords(v).join(' '));
    const strange = names.filter((name) => !knownMechanisms.has(name));
    const options = Object.entries(v.options ?? {});
    return [
      ...(v.mech_list !== undefined && names.length === 0
        ? [
            {
              code: 'bad-param',
              message: 'an empty mech_list spoils the whole file for libsasl',
              param: '/mech_list',
              help: 'mech_list: [plain]',
            },
          ]
        : []),
      ...strange.map((name): Problem => {
        const near = nearestName(name, knownMechanisms);
        return {
          code: 'unknown-mechanism',
          severity: 'warning',
          message: `no SASL mechanism ${name.toLowerCase()} is known`,
          param: '/mech_list',
          ...(near === undefined ? {} : {help: `did you mean ${near.toLowerCase()}?`}),
        };
      }),
      ...(v.mech_list === undefined ? [] : misfits(names, v.pwcheck_method, v.allow_weak)),
      ...options.flatMap(([key, value]): Problem[] => {
        const param = `/options/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
        const text = optionText(value);
        if (!/^[A-Za-z0-9_-]+$/.test(key))
          return [{code: 'bad-param', message: `${key} is no name of a setting`, param}];
        if (
          Object.hasOwn(params, key.toLowerCase()) &&
          ['mech_list', 'pwcheck_method', 'auxprop_plugin', 'sasldb_path', 'saslauthd_path', 'log_level'].includes(
            key.toLowerCase(),
          ) &&
          value !== null
        )
          return [
            {code: 'bad-param', message: `${key} has a parameter of its own`, param, help: `${key.toLowerCase()}: …`},
          ];
        if (value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof Secret))
          return [{code: 'bad-param', message: `${key}: expected text, a number or true/false`, param}];
        if (text !== undefined && (reveal(text).trim() === '' || /[\n\0]/.test(reveal(text))))
          return [
            {
              code: 'bad-param',
              message: `${key}: libsasl takes one line of text that is not empty`,
              param,
              help: 'null takes the setting out',
            },
          ];
        return [];
      }),
    ];
  },
  probe: (v) =>
    all({
      file: file(pathOf(v), {content: 'always', secret: true}),
      directory: file(pathOf(v).replace(/\/[^/]*$/, '') || '/'),
      plugins: v.state === 'absent' ? nothing([]) : list(pluginPackages.map((name) => packageState(name))),
      guests: v.service === 'qemu' ? runningGuests() : nothing<readonly RunningGuest[]>([]),
    }),
  plan: (v, now, host) => {
    const path = pathOf(v);
    if (v.state === 'absent') {
      if (now.file.type === 'absent') return converged();
      if (now.file.type === 'directory') return refuse('not-a-file', `${path} is a directory`);
      return change([{what: path, before: 'present', after: undefined}], [{op: 'remove', path}], {
        pending: powerCycle(consoles(v, now.guests, Infinity), `it was started before ${path} was removed`),
      });
    }
    const before = presentText(path, now.file);
    if ('kind' in before) return before;
    const conf = parseSaslConf(before.text ?? '');
    const broken = brokenSaslLines(conf);
    if (broken.length > 0)
      return refuse(
        'broken-file',
        `${path} has lines that libsasl cannot read (${broken.join(', ')}): it would ignore the whole file`,
        {help: 'repair or remove these lines by hand'},
      );

    const changes: Change[] = [];
    let edited: SaslConf = conf;
    for (const [key, value] of wantedKeys(v)) {
      const old = saslValue(conf, key);
      const text = value === undefined ? undefined : reveal(value);
      if (sameSaslValue(key, old, text)) continue;
      edited = text === undefined ? removeSaslKey(edited, key) : setSaslKey(edited, key, text);
      changes.push({
        what: key,
        before: old !== undefined && (value instanceof Secret || isPassword(key)) ? Secret.of(old) : old,
        after: text !== undefined && isPassword(key) ? Secret.of(text) : value,
      });
    }
    const lined = changes.map((one) =>
      lineChange(one, before.text ?? '', printSaslConf(edited), settingLine(one.what, ':')),
    );
    const mechList = saslValue(edited, 'mech_list');
    const mechanisms = mechList === undefined ? undefined : mechanismsOf(mechList);
    const problems = misfits(mechanisms, saslValue(edited, 'pwcheck_method'), v.allow_weak);
    // What nobody declared here is a finding; what this task would bring about, or leave impossible, is refused.
    const declared = problems.filter(
      (problem) => problem.code === 'impossible-combination' || problem.param === '/pwcheck_method',
    );
    if (isNonEmpty(declared) && changes.length > 0) return refuseAll(declared);

    const {saslPlugins} = platformOf(host.facts);
    const needed = new Map<string, string[]>();
    const need = (what: string, name: string): void => void needed.set(name, [...(needed.get(name) ?? []), what]);
    for (const name of mechanisms ?? []) {
      const brings = saslPlugins[name] ?? saslPlugins['default'];
      if (brings !== undefined) need(name.toLowerCase(), brings);
    }
    if (
      (saslValue(edited, 'auxprop_plugin') ?? '').split(/\s+/).includes('sasldb') ||
      saslValue(edited, 'sasldb_path') !== undefined
    )
      need('sasldb', saslPlugins['sasldb'] ?? 'cyrus-sasl');
    const findings: Problem[] = [
      ...problems.map((problem): Problem => ({...problem, severity: 'error'})),
      ...[...needed]
        .filter(([name]) => now.plugins[pluginPackages.indexOf(name)]?.installed !== true)
        .map(([name, what]): Problem => ({
          code: 'mechanism-not-installed',
          severity: 'error',
          message: `${what.join(', ')} cannot be used: package ${name} is not installed`,
          help: `package: {name: ${name}}`,
        })),
      ...(Number(saslValue(edited, 'log_level') ?? 0) >= 7
        ? [
            {
              code: 'passwords-in-log',
              severity: 'error' as const,
              message: 'log_level 7 writes passwords into the log',
              param: '/log_level',
              help: 'log_level: 5',
            },
          ]
        : []),
    ];

    const directory = path.replace(/\/[^/]*$/, '') || '/';
    const ops: Op[] = [];
    const inode = before.inode;
    const attributes = inode === undefined ? {changes: [], ops: []} : compareAttributes(path, inode, v);
    if (now.directory.type === 'absent')
      ops.push({op: 'mkdir', path: directory, mode: '0755', owner: 'root', group: 'root', parents: true});
    const others: Change[] = [
      ...(now.directory.type === 'absent' ? [{what: directory, before: undefined, after: 'directory'}] : []),
      ...(inode === undefined && changes.length === 0 ? [{what: path, before: undefined, after: '(empty)'}] : []),
      ...attributes.changes,
    ];
    if (inode === undefined || changes.length > 0) {
      const fresh = {mode: '0644', owner: 'root', group: 'root'};
      ops.push({
        ...rewrite(path, before, contentOf(edited, v), fresh),
        ...attributeFields(v, inode?.mode ?? 0o644, false),
      });
    } else {
      const follow = before.link ? {follow: true as const} : {};
      ops.push(...attributes.ops.map((op) => (op.op === 'chmod' || op.op === 'chown' ? {...op, ...follow} : op)));
    }
    const changedS = changes.length > 0 ? Infinity : (inode?.mtimeS ?? 0);
    const pending = powerCycle(consoles(v, now.guests, changedS), `it was started before ${path} changed`);
    return change([...lined, ...others], ops, {findings, pending});
  },
  result: (v, before) => {
    const text = presentText(pathOf(v), before.file);
    const conf = parseSaslConf('kind' in text ? '' : (text.text ?? ''));
    return {
      path: pathOf(v),
      mech_list: mechanismsOf(saslValue(conf, 'mech_list') ?? '').map((name) => name.toLowerCase()),
    };
  },
});

const isPassword = (key: string): boolean => /passw|_pw$/i.test(key);

/** The text with passwords (of an SQL or LDAP store) marked as secrets. */
function contentOf(conf: SaslConf, v: V): string | Secret {
  const secret = (key: string): boolean =>
    isPassword(key) ||
    Object.entries(v.options ?? {}).some(([name, value]) => value instanceof Secret && name.toLowerCase() === key);
  if (!conf.lines.some((line) => line.kind === 'setting' && secret(line.key))) return printSaslConf(conf);
  return Secret.join(
    conf.lines.flatMap((line) => {
      if (line.kind !== 'setting' || !secret(line.key)) return [line.raw];
      const at = line.raw.indexOf(line.value, line.raw.indexOf(':'));
      return [line.raw.slice(0, at), Secret.of(line.value), line.raw.slice(at + line.value.length)];
    }),
  );
}
