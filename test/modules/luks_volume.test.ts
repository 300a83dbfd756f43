import test from 'ava';
import module from '../../modules/luks_volume.ts';
import {absent, doing, fileState, mistakes, planned, told} from './bound.ts';

const values = {device: '/dev/vg/lv', name: 'cr', passphrase: 'first', header_backup: '/root/cr.header'};
const empty = {signatures: [], users: [], mounts: [], sizeBytes: undefined};
const device = (more: object = {}) => ({
  kind: 'block',
  readable: true,
  sizeBytes: 64 * 1024 * 1024,
  contents: empty,
  unclear: undefined,
  ...more,
});
const luks = {...empty, signatures: [{type: 'crypto_LUKS', uuid: 'u', label: undefined}]};
const slot = (number: number) => ({
  slot: number,
  keySizeBits: 512,
  afHash: 'sha256',
  pbkdf: {algorithm: 'argon2id', time: 4, memoryKib: 65536, cpus: 2},
});
const header = (...slots: number[]) => ({
  version: 2,
  uuid: 'u',
  flags: [],
  requirements: [],
  cipher: 'aes-xts-plain64',
  keySizeBits: 512,
  hash: 'sha512',
  keyslots: slots.map(slot),
  segments: [],
  tokens: [],
});
const opens = (number: number) => ({opens: true, slot: number, problem: ''});
const fails = {opens: false, slot: undefined, problem: 'No key available with this passphrase.'};
const mapping = {device: '/dev/vg/lv', sameDevice: true, inUse: false, discards: false};
const good = {exists: true, current: true, mode: 0o600, owner: 'root'};
const none = {exists: false, current: false, mode: 0, owner: ''};

const blank = (more: object = {}) => ({
  volume: {
    installed: true,
    device: device(),
    deviceMapper: true,
    header: undefined,
    headerProblem: undefined,
    mapping: undefined,
    guests: [],
    mounts: [],
    backup: none,
    backupFolder: true,
    tests: [],
    ...more,
  },
  crypttab: fileState('cr /dev/vg/lv none luks\n'),
});
const formatted = (more: object = {}) =>
  blank({device: device({contents: luks}), header: header(0), tests: [opens(0)], backup: good, ...more});
const ext4 = {...empty, signatures: [{type: 'ext4', uuid: 'x', label: 'data'}]};

const cases: [string, Record<string, unknown>, unknown, string[]][] = [
  [
    'blank: formatted',
    values,
    blank(),
    ['/dev/vg/lv: absent -> luks2 container', 'header backup /root/cr.header: absent -> of this header, 0600'],
  ],
  ['as declared', values, formatted(), ['converged']],
  ['carries data', values, blank({device: device({contents: ext4})}), ['refuse device-not-empty']],
  [
    'carries expendable data',
    {...values, expendable: true, header_backup: null},
    blank({device: device({contents: ext4})}),
    ['/dev/vg/lv: ext4 file system "data" -> luks2 container'],
  ],
  [
    'mounted: not even expendable',
    {...values, expendable: true},
    blank({device: device({contents: {...ext4, mounts: ['/srv']}})}),
    ['refuse device-in-use'],
  ],
  [
    'a physical volume in a group',
    values,
    blank({device: device({contents: {...empty, users: [{path: '/dev/vg/x', type: 'lvm'}]}})}),
    ['refuse device-in-use'],
  ],
  [
    'nobody can tell what it carries',
    values,
    blank({device: device({unclear: 'no blkid'})}),
    ['refuse device-unclear'],
  ],
  ['too small', values, blank({device: device({sizeBytes: 16 * 1024 * 1024})}), ['refuse device-too-small']],
  ['missing device', values, blank({device: device({kind: 'absent'})}), ['refuse no-device']],
  ['unreadable', values, blank({device: device({readable: false})}), ['refuse unreadable']],
  ['no cryptsetup', values, blank({installed: false}), ['refuse no-cryptsetup']],
  [
    'another passphrase: never formatted anew',
    {...values, expendable: true},
    formatted({tests: [fails]}),
    ['refuse wrong-passphrase'],
  ],
  ['opened', {...values, state: 'opened'}, formatted(), ['/dev/mapper/cr: absent -> open on /dev/vg/lv']],
  ['opened already', {...values, state: 'opened'}, formatted({mapping}), ['converged']],
  [
    'opened on another device',
    {...values, state: 'opened'},
    formatted({mapping: {...mapping, sameDevice: false}}),
    ['refuse mapping-taken'],
  ],
  ['no device-mapper', {...values, state: 'opened'}, formatted({deviceMapper: false}), ['refuse no-device-mapper']],
  [
    'discard turned on while open',
    {...values, state: 'opened', discard: true},
    formatted({mapping}),
    ['/dev/mapper/cr: discard: false -> true'],
  ],
  ['closed', {...values, state: 'closed'}, formatted({mapping}), ['/dev/mapper/cr: open -> absent']],
  [
    'never closed under a running guest',
    {...values, state: 'closed'},
    formatted({mapping: {...mapping, inUse: true}, guests: ['imap']}),
    ['refuse mapping-in-use'],
  ],
  [
    'a key is added',
    {...values, keys: [{slot: 1, passphrase: 'b'}]},
    formatted({tests: [opens(0), fails]}),
    ['key slot 1: absent -> ********', 'header backup /root/cr.header: of the old header -> of this header, 0600'],
  ],
  [
    'the key is there, whatever its slot',
    {...values, keys: [{slot: 1, passphrase: 'b'}]},
    formatted({header: header(0, 5), tests: [opens(0), opens(5)]}),
    ['converged'],
  ],
  [
    'the slot holds another key',
    {...values, keys: [{slot: 1, passphrase: 'b'}]},
    formatted({header: header(0, 1), tests: [opens(0), fails]}),
    ['refuse slot-taken'],
  ],
  [
    '… which is purged',
    {...values, purge_keys: true, header_backup: null, keys: [{slot: 1, passphrase: 'b'}]},
    formatted({header: header(0, 1), tests: [opens(0), fails]}),
    ['key slot 1: a key -> absent', 'key slot 1: absent -> ********'],
  ],
  ['undeclared keys stay', values, formatted({header: header(0, 3)}), ['converged']],
  [
    'undeclared keys go with purge_keys',
    {...values, purge_keys: true, header_backup: null},
    formatted({header: header(0, 3)}),
    ['key slot 3: a key -> absent'],
  ],
  [
    'a key removed by its slot',
    {...values, header_backup: null, keys: [{slot: 3, state: 'absent'}]},
    formatted({header: header(0, 3)}),
    ['key slot 3: a key -> absent'],
  ],
  ['… is gone already', {...values, keys: [{slot: 3, state: 'absent'}]}, formatted(), ['converged']],
  [
    'the main key cannot be removed',
    {...values, keys: [{slot: 0, state: 'absent'}]},
    formatted(),
    ['refuse key-in-use'],
  ],
  [
    'backup of another header',
    values,
    formatted({backup: {...good, current: false}}),
    ['header backup /root/cr.header: of another header -> of this header, 0600'],
  ],
  [
    'backup readable by others',
    values,
    formatted({backup: {...good, mode: 0o644}}),
    ['header backup /root/cr.header: mode: 0644 -> 0600'],
  ],
  [
    'crypttab',
    {...values, crypttab: {options: ['luks', 'discard']}},
    formatted(),
    ['/etc/crypttab: cr /dev/vg/lv none luks\n -> cr /dev/vg/lv none luks,discard\n'],
  ],
  ['absent needs expendable', {...values, state: 'absent'}, formatted(), ['refuse device-not-empty']],
  [
    'absent under a guest',
    {...values, state: 'absent', expendable: true},
    formatted({mapping: {...mapping, inUse: true}, guests: ['imap']}),
    ['refuse mapping-in-use'],
  ],
  [
    'absent: what is no container is not ours',
    {...values, name: null, state: 'absent', expendable: true},
    blank({device: device({contents: ext4})}),
    ['converged'],
  ],
  [
    'absent: no device',
    {...values, name: null, state: 'absent'},
    blank({device: device({kind: 'absent'})}),
    ['converged'],
  ],
];
for (const [title, given, now, expected] of cases)
  test(title, (t) => t.deepEqual(told(planned(module, given, now)), expected));

test('absent: closed, erased, wiped, forgotten', (t) => {
  const plan = planned(module, {...values, state: 'absent', expendable: true}, formatted({mapping}));
  t.deepEqual(told(plan), [
    '/dev/mapper/cr: open -> absent',
    '/dev/vg/lv: LUKS container -> absent',
    'header backup /root/cr.header: of a header -> absent',
    '/etc/crypttab: cr /dev/vg/lv none luks\n -> (empty)',
  ]);
});

test('formatting sees the device once more, and no key is ever an argument', (t) => {
  const plan = planned(module, {...values, keys: [{slot: 1, passphrase: 'second'}]}, blank());
  if (plan.kind !== 'change') throw new Error(plan.kind);
  t.deepEqual(plan.ops[0].sees, ['device:/dev/vg/lv']);
  t.notRegex(JSON.stringify(plan.ops), /first|second|Zmlyc3|c2Vjb25k/);
  t.notRegex(doing(plan).join('\n'), /first|second/);
});

test('an existing container that differs needs re-encryption: a finding, no change', (t) => {
  const plan = planned(
    module,
    {...values, cipher: 'aes-cbc-essiv:sha256', key_size: 256, type: 'luks1', pbkdf: {algorithm: 'pbkdf2'}},
    formatted(),
  );
  t.is(plan.kind, 'converged');
  t.deepEqual(
    plan.findings?.map((one) => [one.code, one.severity]),
    Array.from({length: 4}, () => ['needs-reencryption', 'error']),
  );
});

test('findings: no header backup, not opened at boot', (t) => {
  const plan = planned(
    module,
    {...values, header_backup: null, state: 'opened'},
    {...formatted({mapping}), crypttab: absent},
  );
  t.deepEqual(
    plan.findings?.map((one) => one.code),
    ['no-header-backup', 'not-at-boot'],
  );
});

const wrong: [string, Record<string, unknown>, string[]][] = [
  ['no key', {device: '/dev/x'}, ['missing-param /passphrase']],
  ['two keys', {...values, keyfile: '/k'}, ['bad-combination /keyfile']],
  ['opened without a name', {...values, name: null, state: 'opened'}, ['missing-param /name']],
  [
    'LUKS1 with argon2',
    {...values, type: 'luks1', pbkdf: {algorithm: 'argon2id'}},
    ['bad-combination /pbkdf/algorithm'],
  ],
  ['the same key twice', {...values, keys: [{passphrase: 'first'}]}, ['same-key /keys/0']],
  ['a key of nothing', {...values, keys: [{slot: 2}]}, ['missing-param /keys/0']],
  ['no discard at boot', {...values, discard: true, crypttab: {}}, ['discard-at-boot /crypttab/options']],
  ['fine', {...values, keys: [{slot: 2, state: 'absent'}]}, []],
];
for (const [title, given, expected] of wrong)
  test(`check: ${title}`, (t) => t.deepEqual(mistakes(module, given), expected));
