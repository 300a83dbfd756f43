// States of a host as a probe would see them, made through the probe's own parsers: absent things, present ones, and replies that make no sense.
import fc from 'fast-check';
import {Secret} from '../../src/base/secret.ts';
import type {
  AccountState,
  FileState,
  GroupState,
  PackageState,
  Probe,
  Read,
  Reply,
  UnitState,
} from '../../src/kit/index.ts';

const encoder = new TextEncoder();

const inode = fc.record({
  mode: fc.constantFrom(0o644, 0o600, 0o755, 0o4755, 0),
  owner: fc.constantFrom('root', 'admin', '4711'),
  group: fc.constantFrom('root', 'admin', '4711'),
  uid: fc.constantFrom(0, 1000, 4711),
  gid: fc.constantFrom(0, 1000, 4711),
  sizeBytes: fc.constantFrom(0, 10, 5_000_000),
  mtimeS: fc.constantFrom(0, 1_600_000_000, 1_800_000_000),
});

const contents = fc.oneof(
  fc
    .constantFrom('', '\n', 'a', 'one\ntwo\n', '# comment\nkey = "value"\nkey=1\n', 'a\r\nb\r\n', '[section]\nx: 1\n')
    .map((text) => encoder.encode(text)),
  fc.uint8Array({maxLength: 60}),
);

function fileState(read: Read & {read: 'file'}): fc.Arbitrary<FileState> {
  const regular = fc
    .record({inode, content: contents, denied: fc.boolean(), big: fc.boolean()})
    .map(({inode: node, content, denied, big}): FileState => {
      if (denied) return {type: 'file', denied: true, ...node};
      const digest = typeof read.content === 'object' && big ? read.content.unless : 'e'.repeat(64);
      const travels = read.content === 'always' || (typeof read.content === 'object' && digest !== read.content.unless);
      return {type: 'file', sha256: digest, ...node, ...(travels && !big ? {content, sizeBytes: content.length} : {})};
    });
  const simple = fc.oneof(
    fc.constant<FileState>({type: 'absent'}),
    regular,
    inode.map((node): FileState => ({type: 'directory', ...node})),
    inode.map((node): FileState => ({type: 'other', kind: 'fifo', ...node})),
  );
  return fc.oneof(
    {weight: 4, arbitrary: simple},
    {
      weight: 1,
      arbitrary: fc
        .record({node: inode, followed: simple, target: fc.constantFrom('/etc/hostname', '../x', 'a b')})
        .map(({node, followed, target}): FileState => ({type: 'link', target, followed, ...node})),
    },
  );
}

const unitState: fc.Arbitrary<UnitState> = fc.oneof(
  fc.constant<UnitState>({type: 'none'}),
  fc.record({
    type: fc.constant('unit' as const),
    load: fc.constantFrom('loaded', 'not-found', 'masked', 'error', ''),
    active: fc.constantFrom('active', 'inactive', 'failed', 'activating', ''),
    sub: fc.constantFrom('running', 'dead', 'exited', ''),
    enabled: fc.constantFrom('enabled', 'disabled', 'static', 'masked', 'generated', ''),
    startedS: fc.constantFrom(0, 1_700_000_000),
    mainPid: fc.constantFrom(0, 42),
    needsReload: fc.boolean(),
    fragmentPath: fc.constantFrom('', '/usr/lib/systemd/system/a.service'),
  }),
);

const packageState: fc.Arbitrary<PackageState> = fc.record({
  installed: fc.boolean(),
  version: fc.constantFrom('', '1.0-1'),
  candidate: fc.constantFrom('', '1.0-1', '2.0-1'),
  held: fc.boolean(),
});

const accountState: fc.Arbitrary<AccountState> = fc.oneof(
  fc.constant<AccountState>({type: 'absent'}),
  fc
    .record({
      uid: fc.constantFrom(0, 1000),
      gid: fc.constantFrom(0, 1000),
      gecos: fc.constantFrom('', 'A B,,,'),
      home: fc.constantFrom('/root', '/home/a', '', '/nonexistent'),
      shell: fc.constantFrom('/bin/sh', '/usr/sbin/nologin', ''),
      primaryGroup: fc.constantFrom('root', 'a', ''),
      groups: fc.constantFrom([], ['root', 'adm']),
      password: fc.constantFrom(undefined, Secret.of('!'), Secret.of('$6$aa$bbbbbbbb'), Secret.of('')),
      expires: fc.constantFrom(undefined, 0, 20_000),
    })
    .map(({password, expires, ...rest}): AccountState => ({
      type: 'account',
      ...rest,
      ...(password === undefined ? {} : {password}),
      ...(expires === undefined ? {} : {expires}),
    })),
);

const groupState: fc.Arbitrary<GroupState> = fc.oneof(
  fc.constant<GroupState>({type: 'absent'}),
  fc.record({
    type: fc.constant('group' as const),
    gid: fc.constantFrom(0, 1000),
    members: fc.constantFrom([], ['root', 'daemon']),
  }),
);

/** Replies to a fragment of shell: empty, failing, random bytes, and lines that use the fragment's own words. */
function replyTo(fragment: string): fc.Arbitrary<Reply> {
  const own = [...new Set(fragment.match(/[A-Za-z0-9_./=:-]{2,40}/g) ?? [])].slice(0, 80);
  const word = fc.oneof(
    fc.constantFrom(
      '',
      '0',
      '1',
      '-1',
      'yes',
      'no',
      'root',
      '0640',
      '4096',
      'NaN',
      '{}',
      '[]',
      'null',
      '<a/>',
      '<',
      'a=b',
      '====',
    ),
    ...(own.length > 0 ? [fc.constantFrom(...own)] : []),
    fc.integer().map(String),
  );
  const line = fc
    .record({words: fc.array(word, {maxLength: 6}), by: fc.constantFrom(' ', ':', '\t', '=', '|', ',')})
    .map(({words, by}) => words.join(by));
  const stdout = fc.oneof(
    fc.constant(new Uint8Array()),
    fc.uint8Array({maxLength: 80}),
    fc.array(line, {maxLength: 8}).map((lines) => encoder.encode(`${lines.join('\n')}\n`)),
  );
  const exit = fc.oneof(
    {weight: 3, arbitrary: fc.constant(0)},
    {weight: 1, arbitrary: fc.constantFrom(1, 2, 3, 126, 127, 137, 255)},
  );
  return fc.record({exit, stdout, stderr: fc.constantFrom(new Uint8Array(), encoder.encode('not permitted\n'))});
}

function valueOf(read: Read): fc.Arbitrary<unknown> {
  switch (read.read) {
    case 'file':
      return fileState(read);
    case 'unit':
      return unitState;
    case 'package':
      return packageState;
    case 'account':
      return accountState;
    case 'group':
      return groupState;
    case 'raw':
      return replyTo(read.fragment.shell).map((reply) => read.parse(reply));
  }
}

/** States that a probe may give. A parser that throws, throws when the state is generated. */
export function stateOf<T>(probe: Probe<T>): fc.Arbitrary<T> {
  return fc.tuple(...probe.reads.map(valueOf)).map((values) => probe.join(values));
}
