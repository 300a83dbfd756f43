import {
  all,
  attributeFields,
  candidateCommand,
  change,
  defineModule,
  file,
  fileDiff,
  followed,
  labelParams,
  list,
  nothing,
  misplaced,
  octal,
  p,
  probeLabels,
  probePlace,
  refuse,
  refuseAll,
  sha256,
  isNonEmpty,
  withLabels,
  type Change,
  type ControllerFile,
  type FileState,
  type Op,
  type Plan,
  type Problem,
  type Probe,
  type Values,
} from '#kit';

const params = {
  dest: p.string('the file (or, for a folder, the place) on the host; a trailing slash names a folder', {
    required: true,
    pattern: '^/[^\\x00]*$',
    describe: 'an absolute path',
  }),
  src: p.controllerFile(
    "a file or folder on the controller; with a trailing slash the folder's content. With `remote_src` a file on the host",
  ),
  content: p.text('the content itself'),
  mode: p.mode('permission bits; `preserve` takes those of the source'),
  directory_mode: p.mode('permission bits of new folders'),
  owner: p.string('user name or number'),
  group: p.string('group name or number'),
  force: p.boolean('replace a file whose content differs', {default: true}),
  follow: p.boolean('write the file that a link leads to', {default: false}),
  validate: p.string('command that judges the candidate; `%s` stands for its path'),
  backup: p.boolean('accepted for compatibility: every replaced file is kept below /var/lib/tsplay/backup'),
  remote_src: p.boolean('`src` is a file on the host', {default: false}),
  checksum: p.string('accepted for compatibility: what arrives is always compared with what was sent'),
  local_follow: p.boolean('accepted for compatibility: links among the files of a folder stay links'),
  decrypt: p.boolean('a vault is put there opened, as a secret', {default: true}),
  ...labelParams,
};
type V = Values<typeof params>;

/** The destination without a trailing slash, and whether it had one. */
function destOf(v: V): {readonly path: string; readonly folder: boolean} {
  const clean = v.dest.replace(/\/(\.?\/)+/g, '/').replace(/\/\.$/, '/');
  return {path: clean.length > 1 ? clean.replace(/\/$/, '') : clean, folder: clean.endsWith('/')};
}

function inside(folder: string, name: string): string {
  return folder === '/' ? `/${name}` : `${folder}/${name}`;
}

type Entry = Extract<ControllerFile, {type: 'directory'}>['entries'][number];
type Target = {readonly path: string; readonly mode: string; readonly entry: Entry | {readonly type: 'directory'}};

/** The pairs of destination and source file of a folder; the folder itself first. */
function targets(v: V): readonly Target[] {
  if (v.src?.type !== 'directory') return [];
  const {path} = destOf(v);
  const base = v.src.path.endsWith('/') ? path : inside(path, baseName(v.src.path));
  return [
    {path: base, mode: '0755', entry: {type: 'directory'}},
    ...v.src.entries.map((entry) => ({path: inside(base, entry.relative), mode: entry.mode, entry})),
  ];
}

function baseName(path: string): string {
  return path.replace(/\/+$/, '').split('/').at(-1) ?? '';
}

function digestOf(v: V): string | undefined {
  if (v.remote_src) return undefined;
  if (v.src?.type === 'file') return v.src.blob.sha256;
  return v.content === undefined ? undefined : sha256(v.content);
}

/** A file or folder of the controller, or literal content, on the host. *source*: Ansible's copy. */
export default defineModule({
  name: 'copy',
  summary: 'Put a file, folder or text on the host',
  params,
  examples: ['- copy:\n    dest: /etc/motd\n    content: |\n      welcome\n    mode: "0644"\n'],
  check: (v) => [
    ...(v.src === undefined && v.content === undefined
      ? [{code: 'missing-param', message: 'one of `src` and `content` is needed'}]
      : []),
    ...(v.src !== undefined && v.content !== undefined
      ? [{code: 'bad-combination', message: '`src` and `content` exclude each other', param: '/content'}]
      : []),
    ...(v.src?.type === 'missing' && !v.remote_src
      ? [
          {
            code: 'missing-file',
            message: `no file ${v.src.path} on the controller`,
            param: '/src',
            help: v.src.help ?? `looked in ${v.src.searched.join(', ')}`,
          },
        ]
      : []),
    ...(v.remote_src && v.src !== undefined && !v.src.path.startsWith('/')
      ? [{code: 'bad-param', message: 'with `remote_src` the source is an absolute path on the host', param: '/src'}]
      : []),
    ...(v.content !== undefined && v.dest.endsWith('/')
      ? [{code: 'bad-combination', message: '`content` needs a file, and `dest` names a folder', param: '/dest'}]
      : []),
    ...(v.validate !== undefined && !v.validate.includes('%s')
      ? [{code: 'bad-param', message: '`validate` needs `%s` for the path of the candidate', param: '/validate'}]
      : []),
  ],
  probe: (v) => {
    const digest = digestOf(v);
    const {path, folder} = destOf(v);
    const name = v.src === undefined || v.src.type === 'directory' ? undefined : baseName(v.src.path);
    const content = digest === undefined ? (v.remote_src ? 'always' : 'never') : {unless: digest};
    const maxBytes = v.remote_src ? largest : undefined;
    const look = (at: string): Probe<FileState> => file(at, {content, ...(maxBytes === undefined ? {} : {maxBytes})});
    const absent: FileState = {type: 'absent'};
    return all({
      place: probePlace(path, v),
      labels: probeLabels(path, v),
      insideLabels: probeLabels(name === undefined ? path : inside(path, name), v),
      now: folder ? file(path) : look(path),
      inside: name === undefined ? nothing(absent) : look(inside(path, name)),
      source: v.remote_src && v.src !== undefined ? look(destOf({...v, dest: v.src.path}).path) : nothing(absent),
      tree: list<FileState>(
        targets(v).map((t) =>
          file(t.path, {content: t.entry.type === 'file' ? {unless: t.entry.blob.sha256} : 'never'}),
        ),
      ),
    });
  },
  plan: (v, {place, now, inside: below, source, tree, labels, insideLabels}): Plan => {
    if (v.src?.type === 'directory' && !v.remote_src) return misplaced(v.dest, v, place, false) ?? planTree(v, tree);
    if (v.src?.type === 'missing' && !v.remote_src)
      return refuse('missing-file', `no file ${v.src.path} on the controller`);
    const {path: dest, folder} = destOf(v);
    const refusal = misplaced(dest, v, place, now.type === 'absent' && !folder);
    if (refusal !== undefined) return refusal;
    const isFolder = followed(now).type === 'directory';
    const name = v.src === undefined ? undefined : baseName(v.src.path);
    if (folder && !isFolder && now.type !== 'absent')
      return refuse('not-a-directory', `${dest} is a ${now.type}, not a directory`);
    const intoFolder = name !== undefined && (isFolder || folder);
    const path = intoFolder ? inside(dest, name) : dest;
    const seen = intoFolder ? below : now;
    if (!v.force && seen.type !== 'absent') return {kind: 'converged'};
    const mode = v.mode === 'preserve' ? preserved(v, source) : v.mode;
    const made =
      folder && now.type === 'absent'
        ? {
            changes: [{what: 'directory', before: undefined, after: dest}],
            ops: [
              {
                op: 'mkdir' as const,
                path: dest,
                parents: true as const,
                ...attributeFields({owner: v.owner, group: v.group, mode: v.directory_mode}, 0o755, true),
              },
            ],
          }
        : {changes: [], ops: []};
    const attributes = {
      path,
      mode,
      owner: v.owner,
      group: v.group,
      follow: v.follow,
      ...(v.validate === undefined ? {} : {validate: candidateCommand(v.validate)}),
    };
    const present = followed(source);
    if (v.remote_src) {
      const reason = unusable(v.src?.path ?? '', present);
      if (reason !== undefined) return reason;
    }
    const bytes = v.remote_src && present.type === 'file' ? present.content : undefined;
    const diff = fileDiff(
      bytes !== undefined
        ? {...attributes, content: bytes}
        : v.src?.type === 'file'
          ? {
              ...attributes,
              content:
                v.src.secret ??
                v.src.bytes ??
                `(${v.src.blob.sizeBytes} bytes, sha256 ${v.src.blob.sha256.slice(0, 16)}…)`,
              // bytes at hand tell later tasks of a check what they will find
              source: v.src.secret ?? v.src.bytes ?? v.src.blob,
              hidden: v.src.secret !== undefined,
              sha256: v.src.blob.sha256,
            }
          : {...attributes, content: v.content ?? ''},
      seen,
    );
    return withLabels(
      diff.refusal ?? change([...made.changes, ...diff.changes], [...made.ops, ...diff.ops]),
      path,
      v,
      intoFolder ? insideLabels : labels,
    );
  },
  result: (v) => ({dest: v.dest, src: v.src?.path ?? null, checksum: digestOf(v) ?? null}),
});

/** *units*: bytes that a file on the host may have to be copied there: it travels to the controller and back, so that the diff is known. */
const largest = 16 * 1024 * 1024;

function preserved(v: V, source: FileState): string | undefined {
  const present = followed(source);
  if (v.remote_src) return present.type === 'file' ? octal(present.mode) : undefined;
  return v.src?.type === 'file' ? v.src.mode : undefined;
}

/** Why a file on the host cannot be copied. */
function unusable(path: string, source: FileState): Plan | undefined {
  if (source.type === 'absent') return refuse('missing-file', `${path} is not on the host`);
  if (source.type !== 'file')
    return refuse('unsupported', `${path} is a ${source.type}; with \`remote_src\` only files are copied`, {
      help: '`command: cp -a SRC DEST` with `creates: DEST`',
    });
  if (source.denied === true)
    return refuse('unreadable', `${path} cannot be read by this account`, {help: 'use `become: true`'});
  if (source.content === undefined)
    return refuse('too-large', `${path} has ${source.sizeBytes} bytes; with \`remote_src\` at most 16 MiB are copied`, {
      help: '`command: cp -a SRC DEST` with `creates: DEST`',
    });
  return undefined;
}

function planTree(v: V, states: readonly FileState[]): Plan {
  const changes: Change[] = [];
  const ops: Op[] = [];
  const problems: Problem[] = [];
  for (const [i, {path, mode: sourceMode, entry}] of targets(v).entries()) {
    const now = states[i]!;
    if (entry.type === 'directory') {
      if (now.type === 'absent') {
        changes.push({what: 'directory', before: undefined, after: path});
        ops.push({
          op: 'mkdir',
          path,
          parents: true,
          ...attributeFields({owner: v.owner, group: v.group, mode: v.directory_mode}, 0o755, true),
        });
      } else if (followed(now).type !== 'directory')
        problems.push({code: 'in-the-way', message: `${path} is a ${now.type}, not a directory`});
      continue;
    }
    if (entry.type === 'link') {
      if (now.type === 'link' && now.target === entry.target) continue;
      changes.push({what: `link ${path}`, before: now.type === 'link' ? now.target : undefined, after: entry.target});
      ops.push({op: 'link', path, target: entry.target, ...(now.type === 'absent' ? {} : {replace: true})});
      continue;
    }
    if (!v.force && now.type !== 'absent') continue;
    const mode = v.mode === 'preserve' ? octal(parseInt(sourceMode, 8)) : v.mode;
    const diff = fileDiff(
      {
        path,
        content:
          entry.secret ?? entry.bytes ?? `(${entry.blob.sizeBytes} bytes, sha256 ${entry.blob.sha256.slice(0, 16)}…)`,
        follow: v.follow,
        source: entry.secret ?? entry.bytes ?? entry.blob,
        hidden: entry.secret !== undefined,
        sha256: entry.blob.sha256,
        mode,
        owner: v.owner,
        group: v.group,
      },
      now,
    );
    if (diff.refusal?.kind === 'refuse') problems.push(...diff.refusal.problems);
    changes.push(...diff.changes.map((c) => ({...c, what: `${path} ${c.what}`})));
    ops.push(...diff.ops);
  }
  return isNonEmpty(problems) ? refuseAll(problems) : change(changes, ops);
}
