import {
  all,
  attributeFields,
  candidateCommand,
  change,
  defineModule,
  file,
  fileDiff,
  list,
  map,
  misplaced,
  octal,
  p,
  planFile,
  probePlace,
  refuse,
  refuseAll,
  sha256,
  isNonEmpty,
  type Change,
  type ControllerFile,
  type FileState,
  type Op,
  type Plan,
  type Problem,
  type Values,
} from '#kit';

const params = {
  dest: p.path('the file (or, for a folder, the place) on the host; a trailing slash names a folder', {required: true}),
  src: p.controllerFile("a file or folder on the controller; with a trailing slash the folder's content"),
  content: p.text('the content itself'),
  mode: p.mode('permission bits; `preserve` takes those of the source'),
  directory_mode: p.mode('permission bits of new folders'),
  owner: p.string('user name or number'),
  group: p.string('group name or number'),
  force: p.boolean('replace a file whose content differs', {default: true}),
  follow: p.boolean('write the file that a link leads to', {default: false}),
  validate: p.string('command that judges the candidate; `%s` stands for its path'),
  backup: p.boolean('accepted for compatibility: every replaced file is kept below /var/lib/tsplay/backup'),
  remote_src: p.boolean('not supported: a file on the host is copied with `command: cp`'),
  checksum: p.string('accepted for compatibility'),
};
type V = Values<typeof params>;

/** The pairs of destination and source file of a folder. */
function targets(
  v: V,
): readonly {path: string; mode: string; entry: Extract<ControllerFile, {type: 'directory'}>['entries'][number]}[] {
  if (v.src?.type !== 'directory') return [];
  const base = v.src.path.endsWith('/') ? v.dest : `${v.dest}/${v.src.path.split('/').at(-1)!}`;
  return v.src.entries.map((entry) => ({path: `${base}/${entry.relative}`, mode: entry.mode, entry}));
}

function digestOf(v: V): string | undefined {
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
    ...(v.src?.type === 'missing'
      ? [
          {
            code: 'missing-file',
            message: `no file ${v.src.path} on the controller`,
            param: '/src',
            help: `looked in ${v.src.searched.join(', ')}`,
          },
        ]
      : []),
    ...(v.remote_src === true
      ? [
          {
            code: 'unsupported',
            message: '`remote_src` is not supported',
            param: '/remote_src',
            help: 'use `command: cp -a SRC DEST` with `creates: DEST`',
          },
        ]
      : []),
    ...(v.validate !== undefined && !v.validate.includes('%s')
      ? [{code: 'bad-param', message: '`validate` needs `%s` for the path of the candidate', param: '/validate'}]
      : []),
  ],
  probe: (v) => {
    const digest = digestOf(v);
    const name = v.src?.type === 'file' ? v.src.path.split('/').at(-1)! : undefined;
    const content = digest === undefined ? 'never' : {unless: digest};
    return all({
      place: probePlace(v.dest, v),
      now: file(v.dest, {content}),
      inside:
        name === undefined
          ? map(file(v.dest), (): FileState => ({type: 'absent'}))
          : file(`${v.dest}/${name}`, {content}),
      tree: list(
        targets(v).map((t) =>
          file(t.path, {content: t.entry.type === 'file' ? {unless: t.entry.blob.sha256} : 'never'}),
        ),
      ),
    });
  },
  plan: (v, {place, now, inside, tree}): Plan => {
    if (v.src?.type === 'directory') return planTree(v, tree);
    if (v.src?.type === 'missing') return refuse('missing-file', `no file ${v.src.path} on the controller`);
    const intoFolder =
      v.src?.type === 'file' &&
      (now.type === 'directory' || (now.type === 'link' && now.followed.type === 'directory'));
    const path = intoFolder ? `${v.dest}/${v.src.path.split('/').at(-1)!}` : v.dest;
    const seen = intoFolder ? inside : now;
    if (!v.force && seen.type !== 'absent') return {kind: 'converged'};
    const refusal = misplaced(v.dest, v, place, now.type === 'absent');
    if (refusal !== undefined) return refusal;
    const mode = v.mode === 'preserve' ? (v.src?.type === 'file' ? v.src.mode : undefined) : v.mode;
    return planFile(
      {
        path,
        content:
          v.src?.type === 'file'
            ? (v.src.bytes ?? `(${v.src.blob.sizeBytes} bytes, sha256 ${v.src.blob.sha256.slice(0, 16)}…)`)
            : (v.content ?? ''),
        ...(v.src?.type === 'file' ? {source: v.src.blob, sha256: v.src.blob.sha256} : {}),
        mode,
        owner: v.owner,
        group: v.group,
        follow: v.follow,
        ...(v.validate === undefined ? {} : {validate: candidateCommand(v.validate)}),
      },
      seen,
    );
  },
  result: (v) => ({dest: v.dest, checksum: digestOf(v) ?? null}),
});

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
      } else if (now.type !== 'directory')
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
        content: entry.bytes ?? '',
        source: entry.blob,
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
