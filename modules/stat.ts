import {
  all,
  converged,
  defineModule,
  file,
  followed,
  octal,
  p,
  read,
  sh,
  stdoutText,
  type FileState,
  type Json,
  type Probe,
} from '#kit';

/** Facts about a path. *source*: Ansible's stat and its return values. */
export default defineModule({
  name: 'stat',
  summary: 'Facts about a path',
  params: {
    path: p.path('the path on the host', {required: true, aliases: ['dest', 'name']}),
    follow: p.boolean('of what a link leads to', {default: false}),
    get_checksum: p.boolean('the digest of a file', {default: true}),
    checksum_algorithm: p.choice(['sha1', 'sha256', 'md5', 'sha224', 'sha384', 'sha512'], 'of which kind', {
      default: 'sha1',
      aliases: ['checksum', 'checksum_algo'],
    }),
    get_mime: p.boolean('type and encoding of a file, where the host has the program `file`', {
      default: true,
      aliases: ['mime', 'mime_type', 'mime-type'],
    }),
    get_attributes: p.boolean('flags as lsattr shows them', {default: true, aliases: ['attr', 'attributes']}),
  },
  examples: ['- stat:\n    path: /etc/hostname\n  register: hostname_file\n'],
  probe: (v) => all({file: file(v.path, {maxBytes: hashed}), more: details(v)}),
  plan: () => converged(),
  result: (v, {file: state, more}) => ({stat: statOf(v.path, v.follow ? followed(state) : state, more, v)}),
});

/** *units*: bytes up to which a file's digest is read. */
const hashed = 64 * 1024 * 1024;

type Details = {
  readonly numbers: readonly number[];
  readonly source: string;
  readonly digest: string | undefined;
  /** `[flags, version]` as lsattr gives them; undefined where it does not */
  readonly flags: readonly [flags: string, version: string] | undefined;
  readonly mime: readonly [type: string, charset: string] | undefined;
  /** whether this account may read, write and execute it */
  readonly access: string;
};
type V = {
  path: string;
  follow: boolean;
  get_checksum: boolean;
  checksum_algorithm: string;
  get_mime: boolean;
  get_attributes: boolean;
};

/** What the shared read of files does not tell, in one fragment: times, device, inode, links, a link's real end, digests but SHA-256. */
function details({path, follow, checksum_algorithm: algorithm, ...v}: V): Probe<Details> {
  const digest =
    algorithm === 'sha256' || !v.get_checksum
      ? sh`:`
      : sh`[ ! -f ${path} ] || ${`${algorithm}sum`} -- ${path} 2>/dev/null | sed 's/ .*//; s/^/digest /'`;
  const fragment = sh`stat ${follow ? ['-L'] : []} -c '%X %Z %W %i %d %h %b %o' -- ${path} 2>/dev/null || echo
readlink -f -- ${path} || echo
${digest}
${v.get_attributes ? sh`lsattr -vd -- ${path} 2>/dev/null | sed 's/^ */flags /'` : sh`:`}
${v.get_mime ? sh`! command -v file >/dev/null || file ${follow ? ['-L'] : ['-h']} -b --mime-type --mime-encoding -- ${path} 2>/dev/null | sed 's/^/mime /'` : sh`:`}
a=; for o in r w x; do test "-$o" ${path} && a=$a$o; done; echo "access $a"`;
  return read(
    fragment,
    (reply) => {
      const text = stdoutText(reply);
      const [numbers = '', source = ''] = text.split('\n');
      const flags = /^flags (\d+) +(\S+)/m.exec(text);
      const mime = /^mime (\S+); charset=(\S+)$/m.exec(text);
      return {
        numbers: numbers === '' ? [] : numbers.split(' ').map(Number),
        source,
        digest: /^digest \\?([0-9a-f]{32,})$/m.exec(text)?.[1],
        flags: flags === null ? undefined : [flags[2] ?? '', flags[1] ?? ''],
        mime: mime === null ? undefined : [mime[1] ?? '', mime[2] ?? ''],
        access: /^access (\w*)$/m.exec(text)?.[1] ?? '',
      };
    },
    {dependsOn: [`file:${path}`, `tree:${path}`]},
  );
}

function statOf(
  path: string,
  s: FileState,
  more: Details,
  v: Pick<V, 'checksum_algorithm' | 'get_checksum' | 'get_mime' | 'get_attributes'>,
): Json {
  if (s.type === 'absent') return {exists: false};
  const sha256 = s.type === 'file' ? s.sha256 : undefined;
  const digest = v.checksum_algorithm === 'sha256' ? sha256 : more.digest;
  const bit = (mask: number): boolean => (s.mode & mask) !== 0;
  return {
    exists: true,
    path,
    mode: octal(s.mode),
    isdir: s.type === 'directory',
    isreg: s.type === 'file',
    islnk: s.type === 'link',
    isblk: s.type === 'other' && s.kind.includes('block'),
    ischr: s.type === 'other' && s.kind.includes('character'),
    isfifo: s.type === 'other' && s.kind.includes('fifo'),
    issock: s.type === 'other' && s.kind.includes('socket'),
    uid: s.uid,
    gid: s.gid,
    pw_name: s.owner,
    gr_name: s.group,
    size: s.sizeBytes,
    mtime: s.mtimeS,
    ...named(more.numbers),
    ...(v.get_checksum && s.type === 'file' && digest !== undefined ? {checksum: digest} : {}),
    ...(s.type === 'link' ? {lnk_target: s.target, lnk_source: more.source} : {}),
    rusr: bit(0o400),
    wusr: bit(0o200),
    xusr: bit(0o100),
    rgrp: bit(0o040),
    wgrp: bit(0o020),
    xgrp: bit(0o010),
    roth: bit(0o004),
    woth: bit(0o002),
    xoth: bit(0o001),
    isuid: bit(0o4000),
    isgid: bit(0o2000),
    readable: more.access.includes('r'),
    writeable: more.access.includes('w'),
    executable: more.access.includes('x'),
    ...(v.get_mime ? {mimetype: more.mime?.[0] ?? 'unknown', charset: more.mime?.[1] ?? 'unknown'} : {}),
    ...(v.get_attributes ? flagsOf(more.flags) : {}),
  };
}

/** Names of the flags that are known by one. *source*: chattr(1). */
const flagNames: Readonly<Record<string, string>> = {
  a: 'append',
  A: 'noatime',
  c: 'compressed',
  C: 'nocow',
  d: 'nodump',
  D: 'dirsync',
  e: 'extents',
  i: 'immutable',
  j: 'journalled',
  s: 'secdel',
  S: 'sync',
  t: 'notail',
  T: 'topdir',
  u: 'undel',
};

function flagsOf(flags: Details['flags']): Readonly<Record<string, Json>> {
  if (flags === undefined) return {attributes: [], attr_flags: '', version: null};
  const letters = flags[0].replaceAll('-', '');
  return {
    attributes: Array.from(letters).flatMap((letter) => flagNames[letter] ?? []),
    attr_flags: letters,
    version: flags[1],
  };
}

function named([atime, ctime, birth, inode, dev, nlink, blocks, size]: readonly number[]): Readonly<
  Record<string, Json>
> {
  if (inode === undefined) return {};
  return {
    atime: atime ?? 0,
    ctime: ctime ?? 0,
    ...(birth === undefined || Number.isNaN(birth) || birth === 0 ? {} : {birthtime: birth}),
    inode,
    dev: dev ?? 0,
    nlink: nlink ?? 0,
    blocks: blocks ?? 0,
    block_size: size ?? 0,
  };
}
