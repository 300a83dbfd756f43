import {
  all,
  attributeFields,
  change,
  compareAttributes,
  converged,
  defineModule,
  file,
  followed,
  isNonEmpty,
  list,
  nothing,
  p,
  probeConditions,
  quote,
  rawShell,
  read,
  readArchive,
  refuse,
  sh,
  stdoutText,
  type ArchiveEntry,
  type ArchiveKind,
  type Change,
  type FileState,
  type Key,
  type Op,
  type Plan,
  type Probe,
  type Values,
} from '#kit';

const params = {
  src: p.controllerFile('the archive on the controller (tar, plain or packed; zip). With `remote_src` on the host', {
    required: true,
  }),
  dest: p.path('the folder to unpack in; it has to be there', {required: true}),
  remote_src: p.boolean('`src` is on the host', {default: false, aliases: ['copy_from_host']}),
  creates: p.string('do not unpack where this path (or glob) exists'),
  owner: p.string('user name or number of all that is unpacked'),
  group: p.string('group name or number of all that is unpacked'),
  mode: p.mode('permission bits of all that is unpacked'),
  include: p.list(p.string('a path in the archive'), 'only these', {default: []}),
  exclude: p.list(p.string('a pattern'), 'not these', {default: []}),
  extra_opts: p.list(p.string('an option'), 'further options for tar or unzip', {default: []}),
  keep_newer: p.boolean('leave files alone that are newer on the host', {default: false}),
  list_files: p.boolean("the archive's paths in the result", {default: false}),
  decrypt: p.boolean('accepted for compatibility: archives in a vault are refused', {default: true}),
  io_buffer_size: p.integer('accepted for compatibility: nothing is buffered here'),
  unsafe_writes: p.boolean('accepted for compatibility: tar and unzip write'),
  copy: p.boolean('the opposite of `remote_src`, as it was called once'),
  validate_certs: p.boolean('accepted for compatibility: archives come from the controller or are on the host'),
};
type V = Values<typeof params>;

/** *units*: entries that are compared one by one. */
const most = 5000;

type Contents = {readonly kind: ArchiveKind; readonly entries: readonly ArchiveEntry[]};

/** What shall lie below `dest`; a text says why that cannot be known. */
function contents(v: V): Contents | string {
  if (v.src.type !== 'file') return 'it is not there';
  if (v.src.bytes === undefined) return 'it has more than 1 MiB';
  const archive = readArchive(v.src.bytes);
  if (typeof archive === 'string') return archive;
  const others = v.extra_opts.filter((option) => !/^--strip(-components)?=\d+$/.test(option));
  if (others.length > 0) return `options such as ${others[0] ?? ''} may change what is unpacked`;
  const strip = Number(/=(\d+)$/.exec(v.extra_opts.at(-1) ?? '')?.[1] ?? 0);
  const entries = archive.entries
    .filter(({path}) => isWanted(v, path))
    .map((entry) => ({...entry, path: entry.path.split('/').slice(strip).join('/')}))
    .filter(({path}) => path !== '');
  return entries.length > most ? `it holds more than ${most} things` : {kind: archive.kind, entries};
}

/** *source*: GNU tar's manual, "Wildcards": exclusions match any part of a path that begins at a slash, and `*` matches slashes. */
function isWanted(v: V, path: string): boolean {
  const above = path.split('/').map((_part, i, parts) => parts.slice(0, i + 1).join('/'));
  const matches = (pattern: string, text: string): boolean =>
    new RegExp(
      `^${clean(pattern)
        .replace(/[.+^${}()|\\]/g, '\\$&')
        .replaceAll('*', '.*')
        .replaceAll('?', '.')}$`,
      's',
    ).test(text);
  const tails = (text: string): readonly string[] => text.split('/').map((_part, i, parts) => parts.slice(i).join('/'));
  if (v.include.length > 0 && !v.include.some((one) => above.some((text) => clean(one) === text))) return false;
  return !v.exclude.some((pattern) =>
    above.some((text) => tails(text).some((tail) => safely(() => matches(pattern, tail)))),
  );
}

function clean(path: string): string {
  return path.replace(/^(\.?\/)+/, '').replace(/\/+$/, '');
}

/** A pattern such as `[` is no expression; then it excludes nothing. */
function safely(test: () => boolean): boolean {
  try {
    return test();
  } catch {
    return false;
  }
}

function below(dest: string, path: string): string {
  return dest === '/' ? `/${path}` : `${dest}/${path}`;
}

/** What tar says of an archive on the host: `same`, what differs, or that it cannot say. */
function compared(v: V): Probe<'same' | 'differs' | 'absent' | 'unable'> {
  const options = [...v.extra_opts, ...v.exclude.map((pattern) => `--exclude=${pattern}`)];
  return read(
    sh`[ -e ${v.src.path} ] || { echo absent; exit 0; }
case $(head -c 2 -- ${v.src.path}) in PK) echo unable; exit 0 ;; esac
tar --help 2>/dev/null | grep -q -e --compare || { echo unable; exit 0; }
[ -d ${v.dest} ] || { echo differs; exit 0; }
tar --compare -f ${v.src.path} -C ${v.dest} ${options} ${v.include.length === 0 ? [] : ['--', ...v.include]} 2>&1 | grep -Ev ': (Mod time|Uid|Gid|Mode) differs' | grep -q . && echo differs || echo same`,
    (reply) => {
      const said = stdoutText(reply).trim();
      return said === 'same' || said === 'differs' || said === 'absent' ? said : 'unable';
    },
    {dependsOn: [`file:${v.src.path}`, `tree:${v.dest}`, 'package:tar'], timeoutMs: 300_000},
  );
}

/** *source*: tar(1): never the archive's numbers for owners. */
function unpack(v: V, archive: string, kind: ArchiveKind | 'unknown', affects: readonly Key[]): Op {
  const tar = [
    'tar',
    '-x',
    '--no-same-owner',
    ...(v.keep_newer ? ['--keep-newer-files'] : []),
    ...v.extra_opts,
    ...v.exclude.map((pattern) => `--exclude=${pattern}`),
    '-C',
    v.dest,
    '-f',
    archive,
    ...(v.include.length === 0 ? [] : ['--', ...v.include]),
  ];
  const zip = [
    'unzip',
    '-q',
    v.keep_newer ? '-uo' : '-o',
    ...v.extra_opts,
    archive,
    ...v.include,
    ...(v.exclude.length === 0 ? [] : ['-x', ...v.exclude]),
    '-d',
    v.dest,
  ];
  const command = (words: readonly string[]): string => words.map(quote).join(' ');
  const text =
    kind === 'tar'
      ? command(tar)
      : kind === 'zip'
        ? command(zip)
        : `case $(head -c 2 -- ${quote(archive)}) in PK) ${command(zip)} ;; *) ${command(tar)} ;; esac`;
  return {op: 'run', argv: ['/bin/sh', '-c', text], affects, timeoutMs: 1_800_000};
}

/** An archive unpacked: compared with what lies on the host, so that a second run has nothing to do. *source*: Ansible's unarchive. */
export default defineModule({
  name: 'unarchive',
  summary: 'Unpack an archive on the host',
  params,
  examples: ['- unarchive:\n    src: reports.tar\n    dest: /srv\n    creates: /srv/reports.txt\n'],
  check: (v) => {
    const known = v.remote_src ? undefined : contents(v);
    return [
      ...(v.src.type === 'missing' && !v.remote_src
        ? [
            {
              code: 'missing-file',
              message: `no file ${v.src.path} on the controller`,
              param: '/src',
              help: v.src.help ?? `looked in ${v.src.searched.join(', ')}`,
            },
          ]
        : typeof known === 'string' && v.creates === undefined
          ? [
              {
                code: 'needs-creates',
                message: `what ${v.src.path} unpacks to cannot be compared: ${known}`,
                param: '/src',
                help: 'name a path that is there once it has been unpacked: `creates: /srv/thing`',
              },
            ]
          : []),
      ...(v.remote_src && !v.src.path.startsWith('/')
        ? [{code: 'bad-param', message: 'with `remote_src` the archive is an absolute path on the host', param: '/src'}]
        : []),
      ...(v.extra_opts.some((option) => !option.startsWith('-'))
        ? [{code: 'bad-param', message: 'an option begins with `-`', param: '/extra_opts'}]
        : []),
    ];
  },
  probe: (v) => {
    const known = v.remote_src || v.creates !== undefined ? '' : contents(v);
    const entries = typeof known === 'string' ? [] : known.entries;
    return all({
      dest: file(v.dest),
      conditions: probeConditions({creates: v.creates}),
      present: list<FileState>(entries.map(({path}) => file(below(v.dest, path), {maxBytes: 256 * 1024 * 1024}))),
      compared:
        v.remote_src && v.creates === undefined
          ? compared(v)
          : nothing<'same' | 'differs' | 'absent' | 'unable'>('differs'),
      tools: read(rawShell('command -v unzip; :'), (reply) => stdoutText(reply).trim() !== '', {
        dependsOn: ['package:unzip'],
      }),
    });
  },
  plan: (v, now): Plan => {
    if (v.creates !== undefined && now.conditions.creates) return converged();
    if (followed(now.dest).type !== 'directory')
      return refuse('no-folder', `${v.dest} is ${now.dest.type === 'absent' ? 'not there' : 'not a directory'}`, {
        help: 'make it first: `file` with `state: directory`',
      });
    const affects: readonly Key[] = [`tree:${v.dest}`];
    if (v.remote_src) return planRemote(v, now.compared, affects);
    if (v.src.type !== 'file') return refuse('missing-file', `no file ${v.src.path} on the controller`);
    const known = contents(v);
    if (typeof known !== 'string' && known.kind === 'zip' && !now.tools)
      return refuse('no-unzip', 'there is no `unzip` on this host', {help: 'install `unzip` first'});
    const changes: Change[] = [];
    const unpacked: Op[] = [];
    const name = v.src.path.split('/').at(-1) ?? '';
    const place = `/tmp/.tsplay-${v.src.blob.sha256.slice(0, 12)}`;
    const fetchIt: readonly Op[] = [
      {op: 'write', path: place, content: v.src.blob, mode: '0600', noBackup: true},
      unpack(v, place, typeof known === 'string' ? 'unknown' : known.kind, affects),
      {
        op: 'run',
        argv: ['rm', '-f', '--', place],
        affects: [`file:${place}`],
        predicts: [{key: `file:${place}`, value: {type: 'absent'}}],
      },
    ];
    if (typeof known === 'string')
      return change([{what: name, before: undefined, after: `unpacked in ${v.dest}`}], [...fetchIt]);
    const dress: Op[] = [];
    for (const [i, entry] of known.entries.entries()) {
      const state = now.present[i] ?? {type: 'absent'};
      const path = below(v.dest, entry.path);
      const blocked = entry.type !== 'directory' && state.type === 'directory';
      if (blocked) return refuse('in-the-way', `${path} is a directory, and a ${entry.type} in the archive`);
      const same = isSame(v, entry, state);
      if (!same) {
        changes.push({
          what: path,
          before: state.type === 'absent' ? undefined : `(${state.type})`,
          after:
            entry.type === 'file'
              ? `file of ${entry.sizeBytes} bytes`
              : entry.type === 'link'
                ? `link to ${entry.target}`
                : 'directory',
        });
      }
      const wanted = {owner: v.owner, group: v.group, ...(entry.type === 'link' ? {} : {mode: v.mode})};
      if (same && state.type !== 'absent') {
        const diff = compareAttributes(
          path,
          state,
          state.type === 'link' && entry.type === 'directory' ? {} : wanted,
          `${path} `,
        );
        changes.push(...diff.changes);
        dress.push(...diff.ops);
      } else dress.push(...dressing(path, wanted, entry.type === 'directory'));
      if (!same && unpacked.length === 0) unpacked.push(...fetchIt);
    }
    return isNonEmpty(changes) ? change(changes, [...unpacked, ...dress]) : converged();
  },
  result: (v) => {
    const known = v.list_files && !v.remote_src ? contents(v) : '';
    return {
      src: v.src.path,
      dest: v.dest,
      ...(typeof known === 'string' ? {} : {files: known.entries.map(({path}) => path)}),
    };
  },
});

function planRemote(v: V, compared: 'same' | 'differs' | 'absent' | 'unable', affects: readonly Key[]): Plan {
  if (v.creates === undefined && compared === 'same') return converged();
  if (v.creates === undefined && compared === 'absent')
    return refuse('missing-file', `${v.src.path} is not on the host`);
  if (v.creates === undefined && compared === 'unable')
    return refuse('needs-creates', `what ${v.src.path} unpacks to cannot be compared on this host`, {
      help: 'name a path that is there once it has been unpacked: `creates: /srv/thing`',
    });
  const whom = [v.owner, v.group].some((one) => one !== undefined);
  if (whom || v.mode !== undefined)
    return refuse('unsupported', 'owners and mode are not set with `remote_src`', {
      help: 'use `file` with `recurse: true` behind it',
    });
  return change(
    [{what: v.src.path, before: undefined, after: `unpacked in ${v.dest}`}],
    [unpack(v, v.src.path, 'unknown', affects)],
  );
}

function isSame(v: V, entry: ArchiveEntry, state: FileState): boolean {
  switch (entry.type) {
    case 'directory':
      return followed(state).type === 'directory';
    case 'link':
      return state.type === 'link' && state.target === entry.target;
    case 'file':
      return state.type === 'file' && (v.keep_newer || state.sha256 === entry.sha256);
  }
}

function dressing(
  path: string,
  wanted: {owner: string | undefined; group: string | undefined; mode?: string | undefined},
  isFolder: boolean,
): readonly Op[] {
  const {mode, ...owners} = attributeFields(wanted, isFolder ? 0o755 : 0o644, isFolder);
  return [
    ...(owners.owner === undefined && owners.group === undefined ? [] : [{op: 'chown' as const, path, ...owners}]),
    ...(mode === undefined ? [] : [{op: 'chmod' as const, path, mode}]),
  ];
}
