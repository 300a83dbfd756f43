import {
  Secret,
  Unknown,
  all,
  change,
  defineModule,
  deviceFrom,
  deviceShell,
  file,
  fileDiff,
  isNonEmpty,
  octal,
  p,
  quote,
  rawShell,
  read,
  refuse,
  refuseAll,
  reveal,
  sectionsOf,
  stdoutText,
  textOf,
  type Change,
  type DeviceState,
  type FileState,
  type Key,
  type Op,
  type Plan,
  type Probe,
  type Problem,
} from '#kit';
import {crypttabEntry, parseCrypttab, printCrypttab, removeCrypttabEntry, setCrypttabEntry} from '#formats/crypttab';
import {contentsText} from '#formats/device-contents';
import {maxKeyslots, parseLuks, type LuksHeader, type LuksPbkdf} from '#formats/luks';

const crypttabPath = '/etc/crypttab';

const params = {
  device: p.path('the block device, or an existing regular file', {required: true}),
  name: p.string('the mapping below /dev/mapper', {
    pattern: '^[A-Za-z0-9_][A-Za-z0-9_.+-]*$',
    describe: 'a mapping name',
  }),
  state: p.choice(
    ['present', 'opened', 'closed', 'absent'],
    '`present`: formatted; `opened`, `closed`: its mapping too; `absent`: keys erased and signatures wiped (needs `expendable`)',
    {default: 'present'},
  ),
  passphrase: p.secret('opens the volume; over stdin only'),
  keyfile: p.path('a file on the host that opens the volume, in place of `passphrase`'),
  type: p.choice(['luks1', 'luks2'], 'the version of the header; a new volume gets luks2'),
  cipher: p.string('as for --cipher, for instance aes-xts-plain64'),
  key_size: p.integer('bits of the volume key', {min: 128, max: 1024}),
  hash: p.string('as for --hash, for instance sha512'),
  pbkdf: p.object(
    {
      algorithm: p.choice(['argon2id', 'argon2i', 'pbkdf2'], 'the function'),
      time_ms: p.integer('how long opening may take; measured on the host when a key is added', {min: 1}),
      memory_kib: p.integer('memory of argon2', {min: 32}),
      parallel: p.integer('threads of argon2', {min: 1, max: 4}),
      iterations: p.integer('a fixed number in place of a measurement', {min: 4}),
    },
    'how passphrases become keys',
  ),
  label: p.string('the label of a LUKS2 header, set when it is formatted'),
  keys: p.list(
    p.object(
      {
        slot: p.integer('the slot that a new key gets', {min: 0, max: 31}),
        passphrase: p.secret('the key'),
        keyfile: p.path('the key, as a file on the host'),
        state: p.choice(['present', 'absent'], 'there, or removed', {default: 'present'}),
      },
      'one further key',
    ),
    'further keyslots',
    {default: []},
  ),
  purge_keys: p.boolean('remove every keyslot that no declared key opens', {default: false}),
  header_backup: p.path('a copy of the header on the host, 0600, kept up to date'),
  crypttab: p.object(
    {
      device: p.string('as the entry shall name it; default: `device`'),
      keyfile: p.string('path of a key file, or none to be asked', {default: 'none'}),
      options: p.list(p.string('an option'), 'options', {default: ['luks']}),
    },
    'the entry in /etc/crypttab, so that the volume is opened at boot',
  ),
  discard: p.boolean('hand trims through to the device'),
  expendable: p.boolean('whatever the device carries may be destroyed', {default: false}),
};

type KeySource = {readonly passphrase: Secret | undefined; readonly keyfile: string | undefined};
type Test = {readonly opens: boolean; readonly slot: number | undefined; readonly problem: string};
type Mapping = {
  readonly device: string;
  readonly sameDevice: boolean;
  readonly inUse: boolean;
  readonly discards: boolean;
};
type State = {
  readonly volume: Volume;
  readonly crypttab: FileState;
};
type Volume = {
  readonly installed: boolean;
  readonly device: DeviceState;
  readonly deviceMapper: boolean;
  readonly header: LuksHeader | undefined;
  /** why a LUKS header cannot be understood */
  readonly headerProblem: string | undefined;
  readonly mapping: Mapping | undefined;
  /** running guests whose disk is the mapping, and what is mounted from it */
  readonly guests: readonly string[];
  readonly mounts: readonly string[];
  readonly backup: {readonly exists: boolean; readonly current: boolean; readonly mode: number; readonly owner: string};
  readonly backupFolder: boolean;
  /** of the main key and the declared ones, in order */
  readonly tests: readonly Test[];
};

/** One line of the fragment's stdin for each key. Base64 keeps line breaks and any other byte in one line. */
function keyLines(keys: readonly KeySource[]): Secret | undefined {
  const lines = keys.map((key) =>
    key.passphrase === undefined ? `file:${key.keyfile ?? ''}` : `pass:${base64(key.passphrase)}`,
  );
  return lines.length === 0 ? undefined : Secret.of(lines.map((line) => `${line}\n`).join(''));
}

function base64(secret: Secret): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(reveal(secret))));
}

/** Shell that writes the key of one such line to its stdout: by builtins and base64, so that no argument list ever shows it. */
const keyFunction = `key() { case $1 in pass:*) printf %s "\${1#pass:}" | base64 -d ;; file:*) cat -- "\${1#file:}" ;; esac; }`;

/** cryptsetup waits for udev for ever where none runs. */
const withoutUdev = '[ -S /run/udev/control ] || export DM_DISABLE_UDEV=1';

function volumeProbe(
  device: string,
  name: string | undefined,
  backup: string | undefined,
  keys: readonly KeySource[],
): Probe<Volume> {
  const stdin = keyLines(keys);
  const fragment = `${deviceShell(device).shell}
name=${quote(name ?? '')}; backup=${quote(backup ?? '')}
${withoutUdev}
${keyFunction}
command -v cryptsetup >/dev/null 2>&1 || { sec missing; exit 0; }
sec dm; [ -e /dev/mapper/control ] && grep -qw device-mapper /proc/misc && echo yes
luks=; if cryptsetup isLuks "$dev" 2>/dev/null; then luks=yes
sec dump; cryptsetup luksDump "$dev" 2>&1
sec json; cryptsetup luksDump --dump-json-metadata "$dev" 2>/dev/null
fi
if [ -n "$name" ]; then
sec status; cryptsetup status -- "$name" 2>/dev/null
on=$(cryptsetup status -- "$name" 2>/dev/null | sed -n 's/^ *device: *//p'); file=$(cryptsetup status -- "$name" 2>/dev/null | sed -n 's/^ *loop: *//p')
sec same; { [ -n "$on" ] && [ "$(readlink -f -- "$on")" = "$(readlink -f -- "$dev")" ]; } || { [ -n "$file" ] && [ "$(readlink -f -- "$file")" = "$(readlink -f -- "$dev")" ]; } && echo yes
sec mounts; lsblk -n -o MOUNTPOINTS "/dev/mapper/$name" 2>/dev/null
sec guests; if [ -e "/dev/mapper/$name" ] && command -v virsh >/dev/null 2>&1; then
real=$(readlink -f "/dev/mapper/$name")
virsh -q list --name 2>/dev/null | while IFS= read -r guest; do [ -n "$guest" ] || continue
virsh -q domblklist "$guest" 2>/dev/null | while read -r target source; do
[ "$source" != - ] && [ "$(readlink -f -- "$source" 2>/dev/null)" = "$real" ] && printf '%s\\n' "$guest"; done; done; fi
fi
if [ -n "$backup" ]; then
sec backup; [ -f "$backup" ] && stat -c '%a|%U' -- "$backup"
sec backupdump; [ -f "$backup" ] && cryptsetup luksDump "$backup" 2>/dev/null
sec backupfolder; [ -d "$(dirname -- "$backup")" ] && echo yes
fi
n=0; [ -n "$luks" ] && while IFS= read -r line; do
sec "test $n"; key "$line" 2>/dev/null | cryptsetup open -v --test-passphrase --key-file - "$dev" 2>&1; echo "exit $?"; n=$((n+1))
done; :`;
  return read(rawShell(fragment), (reply) => parseVolume(stdoutText(reply)), {
    dependsOn: [
      `device:${device}`,
      'domain:*',
      'package:cryptsetup',
      'package:cryptsetup-bin',
      ...(name === undefined ? [] : ([`device:/dev/mapper/${name}`] as const)),
      ...[device, backup, ...keys.map((key) => key.keyfile)].flatMap((path): Key[] =>
        path === undefined ? [] : [`file:${path}`],
      ),
    ],
    ...(stdin === undefined ? {} : {stdin}),
    secret: true,
    timeoutMs: 300_000,
  });
}

function parseVolume(output: string): Volume {
  const sections = sectionsOf(output);
  const text = (name: string): string => sections.get(name)?.trim() ?? '';
  const dump = sections.get('dump');
  const json = text('json');
  const parsed = dump === undefined ? undefined : parseLuks(dump, json === '' ? undefined : json);
  const status = sections.get('status') ?? '';
  const active = /is active/.test(status);
  const field = (name: string): string => new RegExp(`^ *${name}: *(.*)$`, 'm').exec(status)?.[1] ?? '';
  const [mode = '', owner = ''] = text('backup').split('|');
  const tests: Test[] = [];
  for (let i = 0; sections.has(`test ${i}`); i++) {
    const said = text(`test ${i}`);
    const slot = /Key slot (\d+) unlocked/.exec(said)?.[1];
    tests.push({
      opens: /^exit 0$/m.test(said),
      slot: slot === undefined ? undefined : Number(slot),
      problem: said.split('\n')[0] ?? '',
    });
  }
  return {
    installed: !sections.has('missing'),
    device: deviceFrom(sections),
    deviceMapper: text('dm') === 'yes',
    header: parsed?.ok === true ? parsed.value : undefined,
    headerProblem: parsed?.ok === false ? parsed.problems[0].message : undefined,
    mapping: active
      ? {
          device: field('device'),
          sameDevice: text('same') === 'yes',
          inUse: /is in use/.test(status),
          discards: /\bdiscards\b/.test(field('flags')),
        }
      : undefined,
    guests: [...new Set(text('guests').split('\n'))].filter((name) => name !== ''),
    mounts: text('mounts')
      .split('\n')
      .map((one) => one.trim())
      .filter((one) => one !== ''),
    backup: {
      exists: mode !== '',
      current: dump !== undefined && headerText(sections.get('backupdump') ?? '') === headerText(dump),
      mode: parseInt(mode === '' ? '0' : mode, 8),
      owner,
    },
    backupFolder: text('backupfolder') === 'yes',
    tests,
  };
}

/** A dump without its first line, which names the device: every change of a key changes a salt or the epoch in it. */
function headerText(dump: string): string {
  return dump.replace(/^LUKS header information.*\n/, '').trim();
}

type V = {
  readonly device: string;
  readonly name: string | undefined;
  readonly state: 'present' | 'opened' | 'closed' | 'absent';
  readonly passphrase: Secret | undefined;
  readonly keyfile: string | undefined;
  readonly type: 'luks1' | 'luks2' | undefined;
  readonly cipher: string | undefined;
  readonly key_size: number | undefined;
  readonly hash: string | undefined;
  readonly pbkdf: Pbkdf | undefined;
  readonly label: string | undefined;
  readonly keys: readonly (KeySource & {readonly slot: number | undefined; readonly state: 'present' | 'absent'})[];
  readonly purge_keys: boolean;
  readonly header_backup: string | undefined;
  readonly crypttab:
    {readonly device: string | undefined; readonly keyfile: string; readonly options: readonly string[]} | undefined;
  readonly discard: boolean | undefined;
  readonly expendable: boolean;
};
type Pbkdf = {
  readonly algorithm: 'argon2id' | 'argon2i' | 'pbkdf2' | undefined;
  readonly time_ms: number | undefined;
  readonly memory_kib: number | undefined;
  readonly parallel: number | undefined;
  readonly iterations: number | undefined;
};

/** The keys that are tried, main key first. A declared removal by slot alone has none. */
function triedKeys(v: V): readonly {readonly source: KeySource; readonly of: 'main' | number}[] {
  const main: KeySource = {passphrase: v.passphrase, keyfile: v.keyfile};
  const has = (key: KeySource): boolean => key.passphrase !== undefined || key.keyfile !== undefined;
  return [
    ...(has(main) ? [{source: main, of: 'main' as const}] : []),
    ...v.keys.flatMap((key, i) => (has(key) ? [{source: key, of: i}] : [])),
  ];
}

const mapperPath = (name: string): string => `/dev/mapper/${name}`;

/** cryptsetup with a key on stdin. */
function cryptsetup(
  v: V,
  args: readonly string[],
  key: KeySource | undefined,
  more: {readonly sees?: readonly Key[]} = {},
): Op {
  const stdin = key === undefined ? undefined : keyLines([key]);
  const script = `${withoutUdev}
${keyFunction}
${key === undefined ? 'cryptsetup "$@"' : 'IFS= read -r line || exit 1\nkey "$line" | cryptsetup "$@"'}`;
  return {
    op: 'run',
    argv: ['/bin/sh', '-c', script, 'cryptsetup', ...args],
    ...(stdin === undefined ? {} : {stdin}),
    affects: touched(v),
    timeoutMs: 600_000,
    ...more,
  };
}

/** What any of our commands may change: the device, the mapping, the copy of the header. */
function touched(v: V): readonly Key[] {
  return [
    `device:${v.device}`,
    ...(v.name === undefined ? [] : ([`device:${mapperPath(v.name)}`] as const)),
    ...(v.header_backup === undefined ? [] : ([`file:${v.header_backup}`] as const)),
  ];
}

/** Adds a key: the old one comes on stdin, the new one on descriptor 3. */
function addKey(v: V, main: KeySource, key: KeySource, slot: number | undefined): Op {
  const args = [
    '-q',
    'luksAddKey',
    ...pbkdfArguments(v.pbkdf),
    ...(slot === undefined ? [] : ['--key-slot', String(slot)]),
  ];
  const script = `${withoutUdev}
${keyFunction}
IFS= read -r old && IFS= read -r new || exit 1
key "$new" | { exec 3<&0; key "$old" | cryptsetup "$@" --key-file - ${quote(v.device)} /dev/fd/3; }`;
  const stdin = keyLines([main, key]);
  return {
    op: 'run',
    argv: ['/bin/sh', '-c', script, 'cryptsetup', ...args],
    ...(stdin === undefined ? {} : {stdin}),
    affects: touched(v),
    timeoutMs: 600_000,
  };
}

/** A fresh copy of the header in place of the old one, which would bring removed keys back to life. */
function backupOp(v: V, path: string): Op {
  const script = `umask 077; ${withoutUdev}
d=$(dirname -- "$2"); [ -d "$d" ] || mkdir -p -m 0700 -- "$d" || exit 1
t=$(mktemp -u "$d/.tsplay-XXXXXX.tmp"); trap 'rm -f -- "$t"' EXIT
cryptsetup luksHeaderBackup "$1" --header-backup-file "$t" && chown 0:0 -- "$t" && chmod 0600 -- "$t" && mv -f -- "$t" "$2" && sync`;
  return {op: 'run', argv: ['/bin/sh', '-c', script, 'sh', v.device, path], affects: touched(v), timeoutMs: 300_000};
}

function pbkdfArguments(pbkdf: Pbkdf | undefined): readonly string[] {
  if (pbkdf === undefined) return [];
  const flag = (name: string, value: string | number | undefined): readonly string[] =>
    value === undefined ? [] : [name, String(value)];
  return [
    ...flag('--pbkdf', pbkdf.algorithm),
    ...flag('--pbkdf-memory', pbkdf.memory_kib),
    ...flag('--pbkdf-parallel', pbkdf.parallel),
    ...(pbkdf.iterations === undefined
      ? flag('--iter-time', pbkdf.time_ms)
      : flag('--pbkdf-force-iterations', pbkdf.iterations)),
  ];
}

function formatArguments(v: V): readonly string[] {
  const flag = (name: string, value: string | number | undefined): readonly string[] =>
    value === undefined ? [] : [name, String(value)];
  return [
    '-q',
    'luksFormat',
    '--type',
    v.type ?? 'luks2',
    ...flag('--cipher', v.cipher),
    ...flag('--key-size', v.key_size),
    ...flag('--hash', v.hash),
    ...flag('--label', v.label),
    ...pbkdfArguments(v.pbkdf),
    '--key-file',
    '-',
    v.device,
  ];
}

const headerRoomBytes = {luks1: 2 * 1024 * 1024, luks2: 16 * 1024 * 1024};

/** A LUKS container: format, keys, header backup, mapping, entry for boot. */
export default defineModule({
  name: 'luks_volume',
  summary: 'An encrypted volume: container, keyslots, header backup, mapping, crypttab',
  params,
  examples: [
    `- command:
    argv: [truncate, -s, 32M, /srv/example.img]
    creates: /srv/example.img
- luks_volume:
    device: /srv/example.img
    passphrase: correct horse battery staple
    cipher: aes-xts-plain64
    key_size: 512
    hash: sha512
    pbkdf: {algorithm: pbkdf2, iterations: 1000}
    keys:
      - {slot: 1, passphrase: another one}
    header_backup: /root/luks/example.header
`,
    `- luks_volume:
    device: /srv/example.img
    state: absent
    expendable: true
`,
  ],
  check: (v) => checkValues(v),
  probe: (v) =>
    all({
      volume: volumeProbe(
        v.device,
        v.name,
        v.header_backup,
        triedKeys(v).map((key) => key.source),
      ),
      crypttab: file(crypttabPath, {content: 'always'}),
    }),
  plan: (v, now): Plan => planVolume(v, now),
  result: (v, before, after) => {
    const state = after instanceof Unknown ? before : (after as State);
    const header = state.volume.header;
    return {
      device: v.device,
      name: v.name ?? null,
      uuid: header?.uuid ?? null,
      keyslots: header?.keyslots.map(({slot}) => slot) ?? [],
    };
  },
});

function checkValues(v: V): readonly Problem[] {
  const problems: Problem[] = [];
  const needsName = v.state === 'opened' || v.state === 'closed' || v.crypttab !== undefined;
  if (needsName && v.name === undefined)
    problems.push({
      code: 'missing-param',
      message: `${v.crypttab === undefined ? `state ${v.state}` : '`crypttab`'} needs \`name\``,
      param: '/name',
      help: 'name: cr_data',
    });
  const needsKey = v.state === 'present' || v.state === 'opened' || v.keys.length > 0;
  if (needsKey && v.passphrase === undefined && v.keyfile === undefined)
    problems.push({
      code: 'missing-param',
      message: `state ${v.state} needs \`passphrase\` or \`keyfile\``,
      param: '/passphrase',
      help: 'passphrase: "{{ vault_passphrase }}"',
    });
  if (v.passphrase !== undefined && v.keyfile !== undefined)
    problems.push({
      code: 'bad-combination',
      message: '`passphrase` and `keyfile` are two ways to say one thing',
      param: '/keyfile',
    });
  if (v.passphrase !== undefined && reveal(v.passphrase) === '')
    problems.push({code: 'empty-passphrase', message: 'the passphrase is empty', param: '/passphrase'});
  if (v.type === 'luks1' && v.pbkdf?.algorithm !== undefined && v.pbkdf.algorithm !== 'pbkdf2')
    problems.push({
      code: 'bad-combination',
      message: 'LUKS1 knows pbkdf2 only',
      param: '/pbkdf/algorithm',
      help: 'type: luks2, or algorithm: pbkdf2',
    });
  if (v.type === 'luks1' && v.label !== undefined)
    problems.push({code: 'bad-combination', message: 'LUKS1 knows no label', param: '/label'});
  if (v.pbkdf?.algorithm === 'pbkdf2' && (v.pbkdf.memory_kib !== undefined || v.pbkdf.parallel !== undefined))
    problems.push({code: 'bad-combination', message: 'pbkdf2 has neither memory nor threads', param: '/pbkdf'});
  if (v.pbkdf?.algorithm === 'pbkdf2' && v.pbkdf.iterations !== undefined && v.pbkdf.iterations < 1000)
    problems.push({
      code: 'bad-iterations',
      message: 'pbkdf2 needs at least 1000 iterations',
      param: '/pbkdf/iterations',
    });
  v.keys.forEach((key, i) => {
    if (key.passphrase !== undefined && key.keyfile !== undefined)
      problems.push({code: 'bad-combination', message: 'a key is a passphrase or a file', param: `/keys/${i}`});
    if (
      key.passphrase === undefined &&
      key.keyfile === undefined &&
      (key.state === 'present' || key.slot === undefined)
    )
      problems.push({
        code: 'missing-param',
        message: 'a key needs `passphrase` or `keyfile`',
        param: `/keys/${i}`,
        help: 'to remove a key by its slot: {slot: 1, state: absent}',
      });
    if (key.slot !== undefined && key.slot >= maxKeyslots(v.type === 'luks1' ? 1 : 2))
      problems.push({code: 'bad-slot', message: `LUKS1 has slots 0 to 7`, param: `/keys/${i}/slot`});
    const twin = [v, ...v.keys.slice(0, i)].some(
      (one) =>
        (one.passphrase !== undefined && key.passphrase !== undefined && one.passphrase.equals(key.passphrase)) ||
        (one.keyfile !== undefined && one.keyfile === key.keyfile),
    );
    if (twin)
      problems.push({
        code: 'same-key',
        message: 'this key is declared already',
        param: `/keys/${i}`,
        help: 'a second slot with the same key serves nobody',
      });
  });
  if (v.discard === true && v.crypttab !== undefined && !v.crypttab.options.includes('discard'))
    problems.push({
      code: 'discard-at-boot',
      severity: 'warning',
      message: 'at boot the volume is opened without `discard`',
      param: '/crypttab/options',
      help: 'options: [luks, discard]',
    });
  return problems;
}

function planVolume(v: V, {volume, crypttab}: State): Plan {
  if (!volume.installed)
    return refuse('no-cryptsetup', 'cryptsetup is not installed on this host', {
      help: 'a task before: package: {name: cryptsetup}',
    });
  if (v.state === 'absent') return planAbsent(v, volume, crypttab);
  const {device} = volume;
  if (device.kind === 'absent')
    return refuse('no-device', `${v.device} does not exist`, {
      param: '/device',
      help: 'make it first, for instance with lvm_volume',
    });
  if (device.kind === 'other')
    return refuse('no-device', `${v.device} is neither a block device nor a regular file`, {param: '/device'});
  if (!device.readable)
    return refuse('unreadable', `${v.device} cannot be read by this account`, {help: 'use `become: true`'});
  if (volume.headerProblem !== undefined) return refuse('luks-header', `${v.device}: ${volume.headerProblem}`);
  if (volume.mapping !== undefined && !volume.mapping.sameDevice)
    return refuse('mapping-taken', `${v.name ?? ''} is open already, on ${volume.mapping.device}`, {
      param: '/name',
      help: 'choose another name, or close it first',
    });
  if (v.state === 'opened' && volume.mapping === undefined && !volume.deviceMapper)
    return refuse(
      'no-device-mapper',
      'the kernel of this host has no device-mapper: the volume cannot be opened here',
      {
        param: '/state',
        help: 'load the module dm_mod, or leave it at `state: present`',
      },
    );

  const changes: Change[] = [];
  const ops: Op[] = [];
  const main: KeySource = {passphrase: v.passphrase, keyfile: v.keyfile};
  const fresh = volume.header === undefined;
  if (fresh) {
    if (v.state === 'closed' && v.passphrase === undefined && v.keyfile === undefined)
      return refuse('not-formatted', `${v.device} is no LUKS container`, {
        help: 'give a `passphrase` to have it formatted',
      });
    const obstacle = formatObstacle(v, device);
    if (obstacle !== undefined) return obstacle;
    const carried = contentsText(device.contents).join(', ');
    changes.push({what: v.device, before: carried === '' ? undefined : carried, after: formatText(v)});
    if (carried !== '') ops.push(wipe(v));
    ops.push(cryptsetup(v, formatArguments(v), main, carried === '' ? {sees: [`device:${v.device}`]} : {}));
  }
  const keys = planKeys(v, volume, main);
  if (keys.refusal !== undefined) return keys.refusal;
  const backup = planBackup(v, volume, fresh || keys.ops.length > 0);
  if (keys.ops.length > 0 && !fresh && backup.before !== undefined) ops.push(backup.before);
  changes.push(...keys.changes, ...backup.changes);
  ops.push(...keys.ops);
  if (backup.after !== undefined) ops.push(backup.after);

  const mapping = planMapping(v, volume, main);
  if (mapping.refusal !== undefined) return mapping.refusal;
  changes.push(...mapping.changes);
  ops.push(...mapping.ops);
  const boot = planCrypttab(v, crypttab);
  if (boot.refusal !== undefined) return boot.refusal;
  changes.push(...boot.changes);
  ops.push(...boot.ops);
  return change(changes, ops, {findings: [...drift(v, volume.header), ...care(v, crypttab)]});
}

/** What the declaration asks of a new container, in words. */
function formatText(v: V): string {
  return [
    `${v.type ?? 'luks2'} container`,
    ...(v.cipher === undefined ? [] : [v.cipher]),
    ...(v.key_size === undefined ? [] : [`${v.key_size} bits`]),
    ...(v.hash === undefined ? [] : [v.hash]),
    ...(v.pbkdf?.algorithm === undefined ? [] : [v.pbkdf.algorithm]),
  ].join(', ');
}

/** Formatting destroys: whatever is found is named. */
function formatObstacle(v: V, device: DeviceState): Plan | undefined {
  const {contents} = device;
  const found = contentsText(contents);
  if (contents.mounts.length > 0 || contents.users.length > 0)
    return refuse('device-in-use', `${v.device} is in use: ${found.join(', ')}`, {
      param: '/device',
      help: 'unmount or close what uses it; `expendable` does not overrule this',
    });
  if (device.unclear !== undefined)
    return refuse('device-unclear', `it cannot be seen what ${v.device} carries: ${device.unclear}`, {
      help: 'install util-linux (blkid, wipefs)',
    });
  if (found.length > 0 && !v.expendable)
    return refuse('device-not-empty', `${v.device} carries data: ${found.join(', ')}`, {
      param: '/device',
      help: 'formatting would destroy it; if that is meant, set `expendable: true`',
    });
  const room = headerRoomBytes[v.type ?? 'luks2'];
  if (device.sizeBytes <= room)
    return refuse(
      'device-too-small',
      `${v.device} has ${device.sizeBytes} bytes, the header of ${v.type ?? 'luks2'} alone takes ${room}`,
      {
        param: '/device',
        help: 'lvm_volume: {header_room: 16M} makes room for it',
      },
    );
  return undefined;
}

function wipe(v: V): Op {
  return {
    op: 'run',
    argv: ['wipefs', '--all', '--quiet', v.device],
    affects: touched(v),
    sees: [`device:${v.device}`],
  };
}

type Part = {readonly changes: readonly Change[]; readonly ops: readonly Op[]; readonly refusal?: Plan};
const none: Part = {changes: [], ops: []};

/** The keys that have to come and go. Nothing is added that opens a slot already, and the last key never goes. */
function planKeys(v: V, volume: Volume, main: KeySource): Part {
  const fresh = volume.header === undefined;
  const tried = triedKeys(v);
  const testOf = (of: 'main' | number): Test | undefined => {
    const at = tried.findIndex((key) => key.of === of);
    return at < 0 ? undefined : volume.tests[at];
  };
  const mainTest = testOf('main');
  const hasMain = tried.some((key) => key.of === 'main');
  if (!fresh && hasMain && mainTest?.opens !== true) {
    const why = mainTest?.problem ?? '';
    return {
      ...none,
      refusal: refuse(
        'wrong-passphrase',
        `the ${v.keyfile === undefined ? 'passphrase' : `key file ${v.keyfile}`} does not open ${v.device}${why.startsWith('No key') ? '' : `: ${why}`}`,
        {
          param: v.keyfile === undefined ? '/passphrase' : '/keyfile',
          help: 'a container is never formatted anew for that; to give it up: `state: absent` with `expendable: true`',
        },
      ),
    };
  }
  const changes: Change[] = [];
  const ops: Op[] = [];
  const taken = new Set(volume.header === undefined ? [0] : volume.header.keyslots.map(({slot}) => slot));
  const mainSlot = fresh ? 0 : mainTest?.slot;
  const kept = new Set<number>(mainSlot === undefined ? [] : [mainSlot]);
  const removed = new Set<number>();
  const missing: {key: V['keys'][number]; at: number}[] = [];
  for (const [i, key] of v.keys.entries()) {
    const test = testOf(i);
    if (key.state === 'present') {
      if (test?.opens === true && test.slot !== undefined) kept.add(test.slot);
      else missing.push({key, at: i});
      continue;
    }
    if (fresh) continue;
    const slot = test === undefined ? key.slot : test.opens ? test.slot : undefined;
    if (slot !== undefined && taken.has(slot)) removed.add(slot);
  }
  if (v.purge_keys) for (const slot of taken) if (!kept.has(slot)) removed.add(slot);
  for (const slot of removed) {
    if (kept.has(slot))
      return {
        ...none,
        refusal: refuse('key-in-use', `slot ${slot} holds a key that is declared to stay`, {
          param: '/keys',
          help: 'remove the other declaration',
        }),
      };
  }
  if (!fresh && removed.size > 0 && taken.size - removed.size < 1)
    return {
      ...none,
      refusal: refuse('last-key', `this would remove the last key of ${v.device}`, {
        param: '/keys',
        help: 'declare a `passphrase` that stays',
      }),
    };
  if (removed.size > 0 && !hasMain)
    return {...none, refusal: refuse('missing-key', 'removing a key needs one that stays', {param: '/passphrase'})};
  // A slot that is to be used again is freed first; otherwise additions come before removals.
  const freedFirst = [...removed].filter((slot) => missing.some(({key}) => key.slot === slot));
  const kill = (slot: number): void => {
    changes.push({what: `key slot ${slot}`, before: 'a key', after: undefined});
    ops.push(cryptsetup(v, ['-q', 'luksKillSlot', '--key-file', '-', v.device, String(slot)], main));
    taken.delete(slot);
  };
  for (const slot of freedFirst) kill(slot);
  const most = maxKeyslots(volume.header?.version ?? (v.type === 'luks1' ? 1 : 2));
  for (const {key, at} of missing) {
    if (key.slot !== undefined && taken.has(key.slot))
      return {
        ...none,
        refusal: refuse('slot-taken', `slot ${key.slot} of ${v.device} holds another key`, {
          param: `/keys/${at}/slot`,
          help: 'choose a free slot, or set `purge_keys: true` to remove undeclared keys',
        }),
      };
    const slot = key.slot ?? Array.from({length: most}, (_, i) => i).find((i) => !taken.has(i));
    if (slot === undefined)
      return {
        ...none,
        refusal: refuse('no-slot', `all ${most} keyslots of ${v.device} are taken`, {param: `/keys/${at}`}),
      };
    taken.add(slot);
    changes.push({
      what: `key slot ${slot}`,
      before: undefined,
      after: key.passphrase ?? `key file ${key.keyfile ?? ''}`,
    });
    ops.push(addKey(v, main, key, slot));
  }
  for (const slot of removed) if (!freedFirst.includes(slot)) kill(slot);
  return {changes, ops};
}

/** The copy of the header: one before keys change where there is no good one, and a fresh one after it. */
function planBackup(
  v: V,
  volume: Volume,
  headerChanges: boolean,
): {readonly changes: readonly Change[]; readonly before?: Op; readonly after?: Op} {
  const path = v.header_backup;
  if (path === undefined) return {changes: []};
  const {backup} = volume;
  const op = backupOp(v, path);
  const good = backup.exists && backup.current;
  if (headerChanges || !good) {
    const before = !backup.exists ? undefined : backup.current ? 'of the old header' : 'of another header';
    return {
      changes: [{what: `header backup ${path}`, before, after: 'of this header, 0600'}],
      ...(good ? {} : {before: op}),
      after: op,
    };
  }
  const changes: Change[] = [];
  if (backup.mode !== 0o600)
    changes.push({what: `header backup ${path}: mode`, before: octal(backup.mode), after: '0600'});
  if (backup.owner !== 'root')
    changes.push({what: `header backup ${path}: owner`, before: backup.owner, after: 'root'});
  return changes.length === 0 ? {changes} : {changes, after: op};
}

/** Who keeps a mapping from being closed, in words. */
function users(volume: Volume): readonly string[] {
  return [
    ...volume.guests.map((guest) => `the running guest ${guest}`),
    ...volume.mounts.map((place) => (place === '[SWAP]' ? 'swap' : `the file system mounted at ${place}`)),
  ];
}

function closeObstacle(v: V, volume: Volume): Plan | undefined {
  if (volume.mapping?.inUse !== true) return undefined;
  const by = users(volume);
  return refuse(
    'mapping-in-use',
    `${mapperPath(v.name ?? '')} is in use${by.length === 0 ? '' : ` by ${by.join(', ')}`}`,
    {
      param: '/state',
      help:
        volume.guests.length > 0 ? 'shut the guest down first: libvirt_domain: {state: shut_off}' : 'unmount it first',
    },
  );
}

function planMapping(v: V, volume: Volume, main: KeySource): Part {
  const {name} = v;
  if (name === undefined || v.state === 'present') return none;
  if (v.state === 'closed') {
    if (volume.mapping === undefined) return none;
    const obstacle = closeObstacle(v, volume);
    if (obstacle !== undefined) return {...none, refusal: obstacle};
    return {
      changes: [{what: mapperPath(name), before: 'open', after: undefined}],
      ops: [cryptsetup(v, ['close', name], undefined)],
    };
  }
  const discards = v.discard === true ? ['--allow-discards'] : [];
  if (volume.mapping === undefined)
    return {
      changes: [{what: mapperPath(name), before: undefined, after: `open on ${v.device}`}],
      ops: [cryptsetup(v, ['open', '--type', 'luks', ...discards, '--key-file', '-', v.device, name], main)],
    };
  if (v.discard === undefined || v.discard === volume.mapping.discards) return none;
  return {
    changes: [
      {what: `${mapperPath(name)}: discard`, before: String(volume.mapping.discards), after: String(v.discard)},
    ],
    ops: [cryptsetup(v, ['refresh', ...discards, '--key-file', '-', name], main)],
  };
}

function planCrypttab(v: V, state: FileState): Part {
  if (v.crypttab === undefined || v.name === undefined) return none;
  const entry = {
    name: v.name,
    device: v.crypttab.device ?? v.device,
    keyfile: v.crypttab.keyfile,
    options: v.crypttab.options,
  };
  return writeCrypttab(state, (text) => printCrypttab(setCrypttabEntry(parseCrypttab(text), entry)));
}

function writeCrypttab(state: FileState, edit: (text: string) => string): Part {
  const old = crypttabText(state) ?? '';
  const content = edit(old);
  if (content === old) return none;
  const diff = fileDiff({path: crypttabPath, content}, state);
  return {
    changes: diff.changes.map((one) => ({
      ...one,
      what: one.what === 'content' ? crypttabPath : `${crypttabPath}: ${one.what}`,
    })),
    ops: diff.ops,
    ...(diff.refusal === undefined ? {} : {refusal: diff.refusal}),
  };
}

function crypttabText(state: FileState): string | undefined {
  return state.type === 'file' && state.content !== undefined ? textOf(state.content) : undefined;
}

/** Keys erased, signatures wiped, entry and header copy gone. Something else than a container is not ours to wipe. */
function planAbsent(v: V, volume: Volume, crypttab: FileState): Plan {
  const changes: Change[] = [];
  const ops: Op[] = [];
  const isLuks = volume.header !== undefined || volume.headerProblem !== undefined;
  if (isLuks) {
    if (!v.expendable)
      return refuse(
        'device-not-empty',
        `${v.device} carries data: ${contentsText(volume.device.contents).join(', ') || 'LUKS container'}`,
        {
          param: '/state',
          help: 'erasing its keys destroys it for good; if that is meant, set `expendable: true`',
        },
      );
    const obstacle = closeObstacle(v, volume);
    if (obstacle !== undefined) return obstacle;
    const others = volume.device.contents.users.filter(
      (user) => v.name === undefined || user.path !== mapperPath(v.name),
    );
    const problems = others.map((user): Problem => ({
      code: 'device-in-use',
      message: `${v.device} is in use: ${user.path} (${user.type})`,
      param: '/device',
      help: 'close it first',
    }));
    if (isNonEmpty(problems)) return refuseAll(problems);
    if (v.name !== undefined && volume.mapping?.sameDevice === true) {
      changes.push({what: mapperPath(v.name), before: 'open', after: undefined});
      ops.push(cryptsetup(v, ['close', v.name], undefined));
    }
    changes.push({what: v.device, before: 'LUKS container', after: undefined});
    ops.push(
      ops.length > 0
        ? cryptsetup(v, ['-q', 'erase', v.device], undefined)
        : cryptsetup(v, ['-q', 'erase', v.device], undefined, {sees: [`device:${v.device}`]}),
      {op: 'run', argv: ['wipefs', '--all', '--quiet', v.device], affects: touched(v)},
    );
  }
  if (v.header_backup !== undefined && volume.backup.exists) {
    changes.push({what: `header backup ${v.header_backup}`, before: 'of a header', after: undefined});
    ops.push({op: 'run', argv: ['rm', '-f', '--', v.header_backup], affects: touched(v)});
  }
  const name = v.name;
  if (name !== undefined) {
    const boot = writeCrypttab(crypttab, (text) => printCrypttab(removeCrypttabEntry(parseCrypttab(text), name)));
    if (boot.refusal !== undefined) return boot.refusal;
    changes.push(...boot.changes);
    ops.push(...boot.ops);
  }
  return change(changes, ops);
}

/** Where an existing header is not as declared: that takes a re-encryption, which is never done silently. */
function drift(v: V, header: LuksHeader | undefined): readonly Problem[] {
  if (header === undefined) return [];
  const findings: Problem[] = [];
  const differ = (what: string, wanted: string | number | undefined, found: string | number): void => {
    if (wanted !== undefined && String(wanted) !== String(found))
      findings.push({
        severity: 'error',
        code: 'needs-reencryption',
        message: `${v.device} has ${what} ${found} instead of ${wanted}: it needs re-encryption`,
        help: 'nothing is re-encrypted by itself: see cryptsetup-reencrypt(8)',
      });
  };
  differ('type', v.type, `luks${header.version}`);
  differ('cipher', v.cipher, header.cipher);
  differ('key size', v.key_size, header.keySizeBits);
  differ('hash', v.hash, header.hash);
  const pbkdf = v.pbkdf;
  if (pbkdf !== undefined)
    for (const {slot, pbkdf: found} of header.keyslots) {
      const different = pbkdfDifference(pbkdf, found);
      if (different !== undefined)
        findings.push({
          severity: 'error',
          code: 'needs-reencryption',
          message: `key slot ${slot} of ${v.device} has ${different}`,
          help: `cryptsetup luksConvertKey --key-slot ${slot} ${pbkdfArguments(pbkdf).join(' ')} ${v.device}`,
        });
    }
  if (header.requirements.length > 0)
    findings.push({
      severity: 'warning',
      code: 'luks-requirements',
      message: `${v.device} is marked ${header.requirements.join(', ')}`,
      help: 'let the re-encryption finish',
    });
  return findings;
}

/** A measured cost is not compared: it depends on how busy the host was. */
function pbkdfDifference(wanted: Pbkdf, found: LuksPbkdf): string | undefined {
  if (wanted.algorithm !== undefined && wanted.algorithm !== found.algorithm)
    return `the PBKDF ${found.algorithm} instead of ${wanted.algorithm}`;
  if (wanted.iterations === undefined) return undefined;
  const iterations = found.algorithm === 'pbkdf2' ? found.iterations : found.time;
  if (iterations !== wanted.iterations) return `${iterations} iterations instead of ${wanted.iterations}`;
  if (found.algorithm === 'pbkdf2') return undefined;
  if (wanted.memory_kib !== undefined && wanted.memory_kib !== found.memoryKib)
    return `${found.memoryKib} KiB of memory instead of ${wanted.memory_kib}`;
  if (wanted.parallel !== undefined && wanted.parallel !== found.cpus)
    return `${found.cpus} threads instead of ${wanted.parallel}`;
  return undefined;
}

/** What is missing around the volume. */
function care(v: V, crypttab: FileState): readonly Problem[] {
  const findings: Problem[] = [];
  if (v.header_backup === undefined)
    findings.push({
      severity: 'warning',
      code: 'no-header-backup',
      message: `the header of ${v.device} has no declared backup: a damaged header loses everything`,
      help: `header_backup: /root/luks/${v.name ?? 'volume'}.header`,
    });
  const text = crypttabText(crypttab) ?? '';
  if (
    v.state === 'opened' &&
    v.crypttab === undefined &&
    v.name !== undefined &&
    crypttabEntry(parseCrypttab(text), v.name) === undefined
  )
    findings.push({
      severity: 'warning',
      code: 'not-at-boot',
      message: `${v.name} is not in /etc/crypttab: after a boot it stays closed, and guests on it do not start`,
      help: 'crypttab: {keyfile: none, options: [luks]}',
    });
  return findings;
}
