import {
  Unknown,
  all,
  attributeFields,
  change,
  compareAttributes,
  converged,
  defineModule,
  file,
  followed,
  labelParams,
  map,
  misplaced,
  newAttributes,
  nothing,
  octal,
  p,
  probeLabels,
  probePlace,
  read,
  refuse,
  resolveMode,
  sh,
  probeTimes,
  stdoutText,
  timeMistakes,
  timeParams,
  timesDiff,
  timesEveryRun,
  withLabels,
  type Change,
  type FileTimes,
  type Labels,
  type Op,
  type FileState,
  type Place,
  type Plan,
  type Probe,
  type Values,
} from '#kit';

type Below = {
  readonly path: string;
  readonly kind: string;
  readonly mode: number;
  readonly owner: string;
  readonly group: string;
  readonly uid: number;
  readonly gid: number;
};

/** Everything below a folder, symlinks not followed; names are separated by NUL so that any name may occur. GNU find needs no process per file. */
function below(path: string): Probe<readonly Below[]> {
  const fragment = sh`[ -d ${path} ] && [ ! -L ${path} ] || exit 0
if find / -maxdepth 0 -printf '' 2>/dev/null; then find ${path} -mindepth 1 -printf '%y|%m|%u|%g|%U|%G\\n%p\\0'
else find ${path} -mindepth 1 -exec sh -c 'for f; do stat -c "%F|%a|%U|%G|%u|%g" -- "$f" && printf "%s\\0" "$f"; done' sh {} +
fi; :`;
  return read(
    fragment,
    (reply) =>
      stdoutText(reply)
        .split('\0')
        .filter((entry) => entry !== '')
        .map((entry) => {
          const at = entry.indexOf('\n');
          const [kind = '', mode = '0', owner = '', group = '', uid = '0', gid = '0'] = entry.slice(0, at).split('|');
          return {
            path: entry.slice(at + 1),
            kind,
            mode: parseInt(mode, 8),
            owner,
            group,
            uid: Number(uid),
            gid: Number(gid),
          };
        })
        .filter((entry) => entry.path.startsWith(path === '/' ? path : `${path}/`)),
    {dependsOn: [`tree:${path}`]},
  );
}

/** The parents of a path, outermost first, without the root. */
function parentsOf(path: string): readonly string[] {
  const parts = path.split('/').slice(1, -1);
  return parts.map((_part, i) => `/${parts.slice(0, i + 1).join('/')}`);
}

const params = {
  path: p.path('the path on the host', {required: true, aliases: ['dest', 'name']}),
  state: p.choice(
    ['file', 'directory', 'link', 'hard', 'touch', 'absent'],
    'what it shall be; default `file` (which must exist), or `directory` with `recurse`',
  ),
  mode: p.mode('permission bits'),
  owner: p.string('user name or number'),
  group: p.string('group name or number'),
  src: p.string('target of a link'),
  recurse: p.boolean('attributes of everything below a directory too', {default: false}),
  force: p.boolean('replace a file or empty directory that stands where a link shall be', {default: false}),
  follow: p.boolean('for existing links: act on what they lead to', {default: true}),
  ...timeParams,
  ...labelParams,
};
type V = Values<typeof params>;
type State = {
  readonly place: Place;
  readonly now: FileState;
  readonly parents: Readonly<Record<string, FileState>>;
  readonly same: boolean;
  readonly below: readonly Below[];
  readonly times: FileTimes;
  readonly labels: Labels;
};

/** Files, directories, links and their attributes. *source*: Ansible's file. */
export default defineModule({
  name: 'file',
  summary: 'A file, directory or link: existence, mode, owner',
  params,
  examples: [
    '- file:\n    path: /srv/example\n    state: directory\n    mode: "0750"\n',
    '- file:\n    path: /srv/example/link\n    src: /etc/hostname\n    state: link\n',
    '- file:\n    path: /srv/example\n    state: absent\n',
  ],
  check: (v) => [
    ...((v.state === 'link' || v.state === 'hard') && v.src === undefined
      ? [
          {
            code: 'missing-param',
            message: `state ${v.state} needs \`src\`, the target`,
            param: '/state',
            help: 'src: /path/of/the/target',
          },
        ]
      : []),
    ...(v.recurse && v.state !== undefined && v.state !== 'directory'
      ? [{code: 'bad-combination', message: '`recurse` goes with `state: directory` only', param: '/recurse'}]
      : []),
    ...timeMistakes(v),
  ],
  everyRun: (v) => v.state !== 'absent' && timesEveryRun(v, v.state === 'touch'),
  probe: (v) =>
    all({
      place: probePlace(v.path, v),
      now: file(v.path),
      parents: map(
        all(Object.fromEntries(parentsOf(v.path).map((parent) => [parent, file(parent)]))),
        (states) => states,
      ),
      same:
        v.state === 'hard' && v.src !== undefined
          ? read(sh`[ ${v.path} -ef ${v.src} ]`, (reply) => reply.exit === 0, {
              dependsOn: [`file:${v.path}`, `file:${v.src}`],
            })
          : nothing(true),
      below: v.recurse ? below(v.path) : nothing<readonly Below[]>([]),
      times: v.state === 'absent' ? nothing({}) : probeTimes(v.path, v),
      labels: v.state === 'absent' ? nothing({}) : probeLabels(v.path, v),
    }),
  plan: (v, state): Plan => withLabels(withTimes(planPath(v, state), v, state), v.path, v, state.labels),
  result: (v, _before, after) => {
    const state = after instanceof Unknown ? {type: 'absent' as const} : after.now;
    return {
      path: v.path,
      dest: v.path,
      state: state.type === 'absent' || state.type === 'other' ? (v.state ?? 'file') : state.type,
      ...(state.type === 'absent'
        ? {}
        : {
            mode: octal(state.mode),
            owner: state.owner,
            group: state.group,
            uid: state.uid,
            gid: state.gid,
            size: state.sizeBytes,
          }),
      ...(v.src === undefined ? {} : {src: v.src}),
    };
  },
});

function planPath(v: V, {place, now, parents, same, below: tree}: State): Plan {
  const state = v.state ?? (v.recurse ? 'directory' : v.src === undefined ? 'file' : 'link');
  const seen = v.follow && state !== 'link' && state !== 'absent' ? followed(now) : now;
  const refusal =
    state === 'absent' ? undefined : misplaced(v.path, v, place, now.type === 'absent' && state !== 'directory');
  if (refusal !== undefined && (state !== 'file' || now.type !== 'absent')) return refusal;
  switch (state) {
    case 'absent': {
      if (now.type === 'absent') return converged();
      return change(
        [{what: 'path', before: `${v.path} (${now.type})`, after: undefined}],
        [{op: 'remove', path: v.path, ...(now.type === 'directory' ? {recurse: true} : {})}],
      );
    }
    case 'directory': {
      if (seen.type === 'absent' && now.type === 'link')
        return refuse('dangling-link', `${v.path} is a link that leads nowhere`, {
          help: 'remove it, or use `follow: false`',
        });
      if (seen.type === 'absent') {
        const missing = parentsOf(v.path).filter((parent) => parents[parent]?.type === 'absent');
        const blocked = parentsOf(v.path).find(
          (parent) => !['absent', 'directory', 'link'].includes(parents[parent]?.type ?? 'absent'),
        );
        if (blocked !== undefined) return refuse('not-a-directory', `${blocked} is not a directory`);
        const attributes = attributeFields(v, 0o755, true);
        const ops: Op[] = [...missing, v.path].map((path) => ({op: 'mkdir', path, ...attributes}));
        return change(
          [...missing, v.path]
            .map((path): Change => ({what: 'directory', before: undefined, after: path}))
            .concat(newAttributes(v)),
          ops,
        );
      }
      if (seen.type !== 'directory')
        return refuse('not-a-directory', `${v.path} is a ${seen.type}, not a directory`, {
          help: 'remove it first with `state: absent`',
        });
      const own = compareAttributes(v.path, seen, v);
      const inner = v.recurse ? tree.map((entry) => recursed(entry, v)) : [];
      return change(
        [...own.changes, ...inner.flatMap((d) => d.changes)],
        [...own.ops.map((op) => followIf(op, now.type === 'link')), ...inner.flatMap((d) => d.ops)],
      );
    }
    case 'link':
      return planLink(v, now);
    case 'hard': {
      if (now.type === 'file' && same) return attributesOnly(v, now, false);
      if (now.type !== 'absent' && (now.type !== 'file' || !v.force))
        return refuse('in-the-way', `${v.path} is a ${now.type} of its own, not ${v.src ?? ''}`, {
          help: now.type === 'file' ? '`force: true` replaces it' : 'remove it first with `state: absent`',
        });
      return change(
        [
          {
            what: 'hard link',
            before: now.type === 'absent' ? undefined : '(file)',
            after: `${v.path} to ${v.src ?? ''}`,
          },
          ...newAttributes(v),
        ],
        [
          {
            op: 'link',
            path: v.path,
            target: v.src ?? '',
            hard: true,
            ...(now.type === 'absent' ? {} : {replace: true}),
          },
          ...dressing(v, false),
        ],
      );
    }
    case 'touch': {
      if (seen.type === 'absent')
        return change(
          [{what: 'file', before: undefined, after: v.path}, ...newAttributes(v)],
          [{op: 'touch', path: v.path, ...attributeFields(v, 0o644, false)}],
        );
      return attributesOnly(v, seen, now.type === 'link');
    }
    case 'file': {
      if (seen.type === 'absent')
        return refuse('absent', `${v.path} does not exist`, {
          help: '`state: touch` makes an empty file; use `copy` or `template` to give it content',
        });
      if (v.state === 'file' && seen.type === 'directory')
        return refuse('is-directory', `${v.path} is a directory, not a file`, {help: 'state: directory'});
      return attributesOnly(v, seen, now.type === 'link' && v.follow);
    }
  }
}

/** The same plan with the times of what is there, or is made. A new file has the time of now. */
function withTimes(plan: Plan, v: V, {now, times}: State): Plan {
  if (plan.kind === 'refuse' || v.state === 'absent') return plan;
  const diff = timesDiff(v.path, v, times, {
    touching: v.state === 'touch',
    link: now.type === 'link' && (v.state === 'link' || !v.follow),
    isNew: now.type === 'absent',
  });
  const before = plan.kind === 'change' ? plan : {changes: [], ops: []};
  return change([...before.changes, ...diff.changes], [...before.ops, ...diff.ops]);
}

/** Ops that give attributes to what has just been made. */
function dressing(
  v: {path: string; mode?: string | undefined; owner?: string | undefined; group?: string | undefined},
  isLink: boolean,
): readonly Op[] {
  const {mode, ...owners} = attributeFields(v, 0o644, false);
  return [
    ...(owners.owner === undefined && owners.group === undefined
      ? []
      : [{op: 'chown' as const, path: v.path, ...owners}]),
    ...(mode === undefined || isLink ? [] : [{op: 'chmod' as const, path: v.path, mode}]),
  ];
}

function attributesOnly(
  v: {path: string; mode?: string | undefined; owner?: string | undefined; group?: string | undefined},
  seen: {type: string},
  throughLink: boolean,
): Plan {
  const {changes, ops} = compareAttributes(v.path, seen as never, v);
  return change(
    changes,
    ops.map((op) => followIf(op, throughLink)),
  );
}

function followIf(op: Op, follow: boolean): Op {
  return follow && (op.op === 'chmod' || op.op === 'chown') ? {...op, follow: true} : op;
}

function recursed(
  entry: Below,
  v: {mode?: string | undefined; owner?: string | undefined; group?: string | undefined},
): {changes: readonly Change[]; ops: readonly Op[]} {
  const isLink = entry.kind === 'symbolic link' || entry.kind === 'l';
  const changes: Change[] = [];
  const ops: Op[] = [];
  const owner = v.owner !== undefined && v.owner !== entry.owner && v.owner !== String(entry.uid) ? v.owner : undefined;
  const group = v.group !== undefined && v.group !== entry.group && v.group !== String(entry.gid) ? v.group : undefined;
  if (owner !== undefined) changes.push({what: `${entry.path} owner`, before: entry.owner, after: owner});
  if (group !== undefined) changes.push({what: `${entry.path} group`, before: entry.group, after: group});
  if (owner !== undefined || group !== undefined)
    ops.push({
      op: 'chown',
      path: entry.path,
      ...(owner === undefined ? {} : {owner}),
      ...(group === undefined ? {} : {group}),
    });
  if (v.mode !== undefined && !isLink) {
    const bits = resolveMode(v.mode, entry.mode, entry.kind === 'directory' || entry.kind === 'd');
    if (bits !== entry.mode) {
      changes.push({what: `${entry.path} mode`, before: octal(entry.mode), after: octal(bits)});
      ops.push({op: 'chmod', path: entry.path, mode: octal(bits)});
    }
  }
  return {changes, ops};
}

function planLink(
  v: {path: string; src?: string | undefined; force: boolean; owner?: string | undefined; group?: string | undefined},
  now: {type: string; target?: string},
): Plan {
  const target = v.src!;
  if (now.type === 'link' && now.target === target) {
    const {changes, ops} = compareAttributes(v.path, now as never, {owner: v.owner, group: v.group});
    return change(changes, ops);
  }
  const owners = {path: v.path, owner: v.owner, group: v.group};
  const made = newAttributes({owner: v.owner, group: v.group});
  if (now.type === 'absent' || now.type === 'link') {
    return change(
      [{what: 'link target', before: now.target, after: target}, ...made],
      [{op: 'link', path: v.path, target, ...(now.type === 'link' ? {replace: true} : {})}, ...dressing(owners, true)],
    );
  }
  if (!v.force)
    return refuse('in-the-way', `${v.path} is a ${now.type}, not a link`, {help: '`force: true` replaces it'});
  const emptied: readonly Op[] = now.type === 'directory' ? [{op: 'remove', path: v.path}] : [];
  return change(
    [{what: 'link target', before: `(${now.type})`, after: target}, ...made],
    [...emptied, {op: 'link', path: v.path, target, replace: true}, ...dressing(owners, true)],
  );
}
