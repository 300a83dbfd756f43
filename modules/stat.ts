import {converged, defineModule, file, followed, octal, p, type FileState, type Json} from '#kit';

/** Facts about a path. *source*: Ansible's stat and its return values. */
export default defineModule({
  name: 'stat',
  summary: 'Facts about a path',
  params: {
    path: p.path('the path on the host', {required: true, aliases: ['dest', 'name']}),
    follow: p.boolean('of what a link leads to', {default: false}),
    get_checksum: p.boolean('accepted for compatibility: the SHA-256 is always read', {default: true}),
    checksum_algorithm: p.choice(['sha256', 'sha1', 'md5', 'sha224', 'sha384', 'sha512'], 'only sha256 is read', {
      default: 'sha256',
    }),
    get_mime: p.boolean('accepted for compatibility'),
    get_attributes: p.boolean('accepted for compatibility'),
  },
  examples: ['- stat:\n    path: /etc/hostname\n  register: hostname_file\n'],
  probe: (v) => file(v.path),
  plan: () => converged(),
  result: (v, state) => ({stat: statOf(v.path, v.follow ? followed(state) : state)}),
});

function statOf(path: string, s: FileState): Json {
  if (s.type === 'absent') return {exists: false};
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
    ...(s.type === 'file' && s.sha256 !== undefined ? {checksum: s.sha256} : {}),
    ...(s.type === 'link' ? {lnk_target: s.target, lnk_source: s.target} : {}),
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
    executable: bit(0o111),
  };
}
