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
    get_checksum: p.boolean('the digest of a file', {default: true, aliases: ['checksum']}),
    checksum_algorithm: p.choice(
      ['sha256', 'sha1', 'md5', 'sha224', 'sha384', 'sha512'],
      'of which kind; Ansible takes sha1 where nothing is said',
      {
        default: 'sha256',
      },
    ),
    get_mime: p.boolean('accepted for compatibility'),
    get_attributes: p.boolean('accepted for compatibility'),
  },
  examples: ['- stat:\n    path: /etc/hostname\n  register: hostname_file\n'],
  probe: (v) => all({file: file(v.path, {maxBytes: hashed}), more: details(v.path, v.follow, v.checksum_algorithm)}),
  plan: () => converged(),
  result: (v, {file: state, more}) => ({stat: statOf(v.path, v.follow ? followed(state) : state, more, v)}),
});

/** *units*: bytes up to which a file's digest is read. */
const hashed = 64 * 1024 * 1024;

type Details = {readonly numbers: readonly number[]; readonly source: string; readonly digest: string | undefined};

/** What the shared read of files does not tell, in one fragment: times, device, inode, links, a link's real end, digests but SHA-256. */
function details(path: string, follow: boolean, algorithm: string): Probe<Details> {
  const digest = algorithm === 'sha256' ? sh`:` : sh`[ -f ${path} ] && ${`${algorithm}sum`} -- ${path} | cut -d' ' -f1`;
  const fragment = sh`stat ${follow ? ['-L'] : []} -c '%X %Z %W %i %d %h %b %o' -- ${path} 2>/dev/null || echo
readlink -f -- ${path} || echo
${digest}`;
  return read(
    fragment,
    (reply) => {
      const [numbers = '', source = '', sum = ''] = stdoutText(reply).split('\n');
      return {
        numbers: numbers === '' ? [] : numbers.split(' ').map(Number),
        source,
        digest: /^\\?[0-9a-f]{32,}$/.test(sum) ? sum.replace('\\', '') : undefined,
      };
    },
    {dependsOn: [`file:${path}`, `tree:${path}`]},
  );
}

function statOf(
  path: string,
  s: FileState,
  more: Details,
  v: {checksum_algorithm: string; get_checksum: boolean},
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
    readable: s.type !== 'file' || s.denied !== true,
    writeable: bit(0o222),
    executable: bit(0o111),
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
