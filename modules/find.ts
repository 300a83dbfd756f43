import {
  converged,
  defineModule,
  list,
  octal,
  p,
  read,
  sh,
  stdoutText,
  type Json,
  type Problem,
  type Values,
} from '#kit';
import {pythonRegExp} from '#formats/python-regexp';

const params = {
  paths: p.list(p.path('a folder on the host'), 'where to look', {required: true, aliases: ['name', 'path']}),
  patterns: p.list(p.string('a glob, or a Python regular expression'), 'names to find', {
    aliases: ['pattern'],
    default: [],
  }),
  excludes: p.list(p.string('likewise'), 'names to leave out', {aliases: ['exclude'], default: []}),
  use_regex: p.boolean('patterns are regular expressions, from the beginning of the name', {default: false}),
  contains: p.string('only files with a line that begins with this regular expression'),
  read_whole_file: p.boolean('`contains` may be anywhere in the file', {default: false}),
  file_type: p.choice(['file', 'directory', 'link', 'any'], 'what to find', {default: 'file'}),
  recurse: p.boolean('folders below too', {default: false}),
  depth: p.integer('how far below', {min: 1}),
  hidden: p.boolean('names that begin with a dot too', {default: false}),
  follow: p.boolean('follow links', {default: false}),
  age: p.string('at least this old, or with a minus at most: 3600, 2d, -1w'),
  age_stamp: p.choice(['mtime', 'atime', 'ctime'], 'by which time', {default: 'mtime'}),
  size: p.string('at least this large, or with a minus at most: 512, 10k, -1g'),
  get_checksum: p.boolean('the digest of each file (SHA-1)', {default: false}),
};

type Found = {
  readonly fields: readonly string[];
  readonly path: string;
};
type Folder = {
  readonly there: boolean;
  readonly nowS: number;
  readonly found: readonly Found[];
  readonly holding: ReadonlySet<string> | undefined;
  readonly digests: ReadonlyMap<string, string>;
};

/** Finds files by name, age, size and content. *source*: Ansible's find. Names with line breaks are passed over. */
export default defineModule({
  name: 'find',
  summary: 'Find files by name, age, size and content',
  params,
  examples: ['- find:\n    paths: /etc/apt\n    patterns: "*.list"\n    recurse: true\n  register: lists\n'],
  check: (v) => mistakes(v),
  probe: (v) => list(v.paths.map((path) => folder(path, v))),
  plan: () => converged(),
  result: (v, folders) => {
    const files = folders.flatMap((each) =>
      each.found.filter((one) => wanted(one, each, v)).map((one) => told(one, each)),
    );
    const missing = v.paths.filter((_, i) => folders[i]?.there === false);
    return {
      files,
      matched: files.length,
      examined: folders.reduce((sum, each) => sum + each.found.length, 0),
      skipped_paths: Object.fromEntries(missing.map((path) => [path, `'${path}' is not a directory`])),
      msg: missing.length === 0 ? 'All paths examined' : 'Not all paths examined, check warnings for details',
    };
  },
});

const durations: Readonly<Record<string, number>> = {s: 1, m: 60, h: 3600, d: 86_400, w: 604_800};
const sizes: Readonly<Record<string, number>> = {b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4};

function mistakes(v: Values<typeof params>): readonly Problem[] {
  const problems: Problem[] = [];
  if (v.age !== undefined && amount(v.age, durations) === undefined)
    problems.push({
      code: 'bad-param',
      message: 'an age is a number with s, m, h, d or w',
      param: '/age',
      help: 'age: 2d',
    });
  if (v.size !== undefined && amount(v.size, sizes) === undefined)
    problems.push({
      code: 'bad-param',
      message: 'a size is a number with b, k, m, g or t',
      param: '/size',
      help: 'size: 10m',
    });
  for (const name of ['patterns', 'excludes'] as const) {
    for (const pattern of v.use_regex ? v[name] : []) {
      const regexp = pythonRegExp(pattern);
      if (!regexp.ok)
        problems.push({
          code: 'regexp-invalid',
          message: `not a regular expression: ${regexp.problems[0].message}`,
          param: `/${name}`,
        });
    }
  }
  if (v.contains !== undefined && extended(v.contains) === undefined)
    problems.push({
      code: 'unsupported',
      message: 'this expression cannot be asked of grep on the host',
      param: '/contains',
      help: 'no groups that begin with (?',
    });
  return problems;
}

function amount(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const [, number, unit = ''] = /^(-?\d+)([a-z]?)$/.exec(text.trim().toLowerCase()) ?? [];
  const factor = unit === '' ? 1 : units[unit];
  return number === undefined || factor === undefined ? undefined : Number(number) * factor;
}

/** A Python expression as grep -E has it, where it has it. */
function extended(source: string): string | undefined {
  if (source.includes('(?')) return undefined;
  return source
    .replaceAll('\\s', '[[:space:]]')
    .replaceAll('\\S', '[^[:space:]]')
    .replaceAll('\\d', '[0-9]')
    .replaceAll('\\w', '[[:alnum:]_]')
    .replaceAll(/([*+?}])\?/g, '$1');
}

const marks = {numbers: '=n', holding: '=c', digests: '=d'};

function folder(path: string, v: Values<typeof params>) {
  const depth = v.recurse ? (v.depth === undefined ? [] : ['-maxdepth', String(v.depth)]) : ['-maxdepth', '1'];
  const links = v.follow ? ['-L'] : [];
  const type = {file: ['-type', 'f'], directory: ['-type', 'd'], link: ['-type', 'l'], any: []}[v.file_type];
  const pattern = v.contains === undefined ? undefined : extended(v.contains);
  const holding =
    pattern === undefined
      ? sh`:`
      : sh`echo ${marks.holding}; find ${links} ${path} -mindepth 1 ${depth} -type f -exec grep -lE -e ${v.read_whole_file ? pattern : `^(${pattern})`} {} + 2>/dev/null`;
  const digests = v.get_checksum
    ? sh`echo ${marks.digests}; find ${links} ${path} -mindepth 1 ${depth} -type f -exec sha1sum {} + 2>/dev/null`
    : sh`:`;
  const stat = v.follow ? ['stat', '-L'] : ['stat'];
  return read(
    sh`[ -d ${path} ] && echo there || echo missing
date +%s
find ${links} ${path} -mindepth 1 ${depth} ${type} -exec ${stat} -c ${`${marks.numbers}|%F|%a|%u|%g|%U|%G|%s|%i|%d|%h|%X|%Y|%Z|%n`} {} + 2>/dev/null
${holding}
${digests}
:`,
    (reply): Folder => parse(stdoutText(reply)),
    {dependsOn: [`tree:${path}`]},
  );
}

function parse(text: string): Folder {
  const [first, date, ...lines] = text.split('\n');
  const found: Found[] = [];
  let holding: Set<string> | undefined;
  const digests = new Map<string, string>();
  let part: 'stat' | 'holding' | 'digests' = 'stat';
  for (const line of lines) {
    if (line === marks.holding) {
      part = 'holding';
      holding = new Set();
    } else if (line === marks.digests) part = 'digests';
    else if (part === 'holding') holding?.add(line);
    else if (part === 'digests') digests.set(line.slice(42), line.slice(0, 40));
    else if (line.startsWith(`${marks.numbers}|`)) {
      const words = line.split('|');
      found.push({fields: words.slice(1, 14), path: words.slice(14).join('|')});
    }
  }
  return {there: first === 'there', nowS: Number(date), found, holding, digests};
}

function wanted({path, fields}: Found, {nowS, holding}: Folder, v: Values<typeof params>): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (name.startsWith('.') && !v.hidden) return false;
  const fits = (pattern: string): boolean => matches(name, pattern, v.use_regex);
  if (v.patterns.length > 0 && !v.patterns.some(fits)) return false;
  if (v.excludes.some(fits)) return false;
  if (v.contains !== undefined && holding?.has(path) !== true) return false;
  const [, , , , , , size, , , , atime, mtime, ctime] = fields.map(Number);
  if (v.age !== undefined) {
    const limit = amount(v.age, durations) ?? 0;
    const age = nowS - ({mtime, atime, ctime}[v.age_stamp] ?? 0);
    if (limit >= 0 ? age < limit : age > -limit) return false;
  }
  if (v.size !== undefined) {
    const limit = amount(v.size, sizes) ?? 0;
    if (limit >= 0 ? (size ?? 0) < limit : (size ?? 0) > -limit) return false;
  }
  return true;
}

function matches(name: string, pattern: string, isRegExp: boolean): boolean {
  if (!isRegExp) return glob(pattern).test(name);
  const regexp = pythonRegExp(pattern);
  return regexp.ok && new RegExp(`^(?:${regexp.value.source})`, regexp.value.flags.replace(/[gy]/g, '')).test(name);
}

/** *source*: Python's fnmatch. */
function glob(pattern: string): RegExp {
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const letter = pattern[i] ?? '';
    const close = letter === '[' ? pattern.indexOf(']', i + 2) : -1;
    if (letter === '*') source += '.*';
    else if (letter === '?') source += '.';
    else if (close > 0) {
      const inner = pattern.slice(i + 1, close).replaceAll('\\', '\\\\');
      source += `[${inner.startsWith('!') ? `^${inner.slice(1)}` : inner}]`;
      i = close;
    } else source += letter.replace(/[\\^$.|+(){}[\]]/, '\\$&');
  }
  return new RegExp(`^${source}$`, 's');
}

function told({path, fields}: Found, {digests}: Folder): Json {
  const [kind = '', mode = '0', uid, gid, owner = '', group = '', size, inode, dev, nlink, atime, mtime, ctime] =
    fields;
  const bits = parseInt(mode, 8);
  const bit = (mask: number): boolean => (bits & mask) !== 0;
  const checksum = digests.get(path);
  return {
    path,
    mode: octal(bits),
    isdir: kind === 'directory',
    isreg: kind.startsWith('regular'),
    islnk: kind === 'symbolic link',
    isblk: kind.startsWith('block'),
    ischr: kind.startsWith('character'),
    isfifo: kind === 'fifo',
    issock: kind === 'socket',
    uid: Number(uid),
    gid: Number(gid),
    pw_name: owner,
    gr_name: group,
    size: Number(size),
    inode: Number(inode),
    dev: Number(dev),
    nlink: Number(nlink),
    atime: Number(atime),
    mtime: Number(mtime),
    ctime: Number(ctime),
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
    ...(checksum === undefined ? {} : {checksum}),
  };
}
