import {
  all,
  change,
  converged,
  defineModule,
  file,
  nothing,
  p,
  presentText,
  read,
  refuse,
  rewrite,
  sh,
  stdoutText,
  type Change,
  type FileState,
  type Key,
  type Op,
  type Plan,
  type Probe,
  type Values,
} from '#kit';
import {
  fstabEntry,
  parseFstab,
  printFstab,
  removeFstabEntry,
  sameFstabEntry,
  setFstabEntry,
  unescapeFstab,
  type FstabEntry,
} from '#formats/fstab';

const params = {
  path: p.string('the mount point; `none` for swap', {
    required: true,
    aliases: ['name'],
    pattern: '^(/.*|none|swap)$',
    describe: 'an absolute path, or none',
  }),
  src: p.string('what is mounted: a device, `UUID=…`, `LABEL=…`, `host:/path`, a folder with `opts: bind`'),
  fstype: p.string('file system type'),
  opts: p.string('mount options, separated by commas'),
  dump: p.integer('the fifth column of fstab', {min: 0, max: 1}),
  passno: p.integer('the sixth column: the order of checks at boot', {min: 0, max: 2}),
  state: p.choice(
    ['mounted', 'unmounted', 'present', 'absent', 'absent_from_fstab', 'remounted', 'ephemeral'],
    'mounted: in fstab and mounted; unmounted: not mounted, fstab as it is; present: in fstab; absent: neither, and the folder goes; ephemeral: mounted, not in fstab',
    {required: true},
  ),
  fstab: p.path('the table', {default: '/etc/fstab'}),
  boot: p.boolean('mounted at boot', {default: true}),
  backup: p.boolean('accepted for compatibility: every replaced file is kept below /var/lib/tsplay/backup'),
};
type V = Values<typeof params>;

/** What is mounted now, the last of several at one place on top. */
type Mounted = {readonly source: string; readonly type: string};

/** What is mounted at a path. The whole table travels: no shell reads it more surely. *source*: proc_pid_mountinfo(5) */
function mountedAt(path: string): Probe<Mounted | undefined> {
  return read(
    sh`: ${path}; cat /proc/self/mountinfo`,
    (reply) => {
      let found: Mounted | undefined;
      for (const line of stdoutText(reply).split('\n')) {
        const [left = '', right = ''] = line.split(' - ');
        const [, , , root, at] = left.split(' ');
        const [type = '', source = ''] = right.split(' ');
        if (root === undefined || at === undefined || unescapeFstab(at) !== path) continue;
        found = {source: unescapeFstab(source), type};
      }
      return found;
    },
    {dependsOn: [`raw:mount:${path}`]},
  );
}

/** Without a slash at the end, as the kernel has it. */
function at(v: V): string {
  return v.path.replace(/(?<=.)\/+$/, '');
}

/** Swap has a line in fstab and no place. */
function isPlace(v: V): boolean {
  return at(v).startsWith('/');
}

function options(v: V): readonly string[] {
  const given = (v.opts ?? 'defaults').split(',').filter((option) => option !== '');
  return v.boot || given.includes('noauto') ? given : [...given, 'noauto'];
}

function wantedEntry(v: V, present: FstabEntry | undefined): FstabEntry {
  return {
    source: v.src ?? present?.source ?? '',
    path: at(v),
    type: v.fstype ?? present?.type ?? 'auto',
    options: v.opts === undefined && v.boot && present !== undefined ? present.options : options(v),
    dump: v.dump ?? present?.dump ?? 0,
    pass: v.passno ?? present?.pass ?? 0,
  };
}

function shown(entry: FstabEntry): string {
  return `${entry.source} ${entry.path} ${entry.type} ${entry.options.join(',')} ${entry.dump} ${entry.pass}`;
}

/** *source*: mount(8), umount(8): what they say about what they do changes the mount table, and what can be seen below the path. */
function run(v: V, argv: readonly [string, ...string[]]): Op {
  const keys: readonly Key[] = [`raw:mount:${at(v)}`, `tree:${at(v)}`, `file:${at(v)}`];
  return {op: 'run', argv, affects: keys};
}

/** A file system in fstab and in its place. *source*: Ansible's mount; fstab(5). */
export default defineModule({
  name: 'mount',
  summary: 'A mounted file system, and its line in fstab',
  params,
  everyRun: (v) => v.state === 'remounted',
  examples: [
    '- mount:\n    path: /mnt/example\n    src: tmpfs\n    fstype: tmpfs\n    opts: size=1m,mode=0700\n    state: mounted\n',
    '- mount:\n    path: /mnt/example\n    state: absent\n',
  ],
  check: (v) => {
    const needs = v.state === 'mounted' || v.state === 'present' || v.state === 'ephemeral';
    return [
      ...(isPlace(v) || v.state === 'present' || v.state === 'absent' || v.state === 'absent_from_fstab'
        ? []
        : [{code: 'bad-combination', message: `what has no mount point cannot be ${v.state}`, param: '/state'}]),
      ...(needs && v.src === undefined ? [{code: 'missing-param', message: `state ${v.state} needs \`src\``}] : []),
      ...(needs && v.fstype === undefined && !/\bbind\b/.test(v.opts ?? '')
        ? [{code: 'missing-param', message: `state ${v.state} needs \`fstype\``}]
        : []),
      ...(at(v) === '/' && v.state !== 'present' && v.state !== 'remounted'
        ? [{code: 'bad-param', message: 'the root itself is not mounted or unmounted', param: '/path'}]
        : []),
    ];
  },
  probe: (v) =>
    all({
      table: file(v.fstab, {content: 'always'}),
      live: mountedAt(at(v)),
      point: isPlace(v) ? file(at(v)) : nothing<FileState>({type: 'absent'}),
    }),
  plan: (v, {table, live, point}): Plan => {
    const present = presentText(v.fstab, table);
    if ('kind' in present) return present;
    const fstab = parseFstab(present.text ?? '');
    const entry = fstabEntry(fstab, at(v), v.src);
    const changes: Change[] = [];
    const ops: Op[] = [];
    const writeTable = (next: typeof fstab, before: string | undefined, after: string | undefined): void => {
      changes.push({what: v.fstab, before, after});
      ops.push(rewrite(v.fstab, present, printFstab(next), {mode: '0644'}));
    };
    const unmount = (): void => {
      if (live === undefined) return;
      changes.push({what: 'mounted', before: live.source, after: undefined});
      ops.push(run(v, ['umount', at(v)]));
    };
    const drop = (): void => {
      if (entry !== undefined) writeTable(removeFstabEntry(fstab, at(v), v.src), shown(entry), undefined);
    };
    switch (v.state) {
      case 'unmounted':
        unmount();
        return change(changes, ops);
      case 'absent_from_fstab':
        drop();
        return change(changes, ops);
      case 'absent':
        drop();
        unmount();
        if (point.type === 'directory') {
          changes.push({what: 'mount point', before: at(v), after: undefined});
          // what lies below a mount point is nobody's to delete: only an empty folder goes
          ops.push({op: 'remove', path: at(v)});
        }
        return change(changes, ops);
      case 'remounted':
        if (live === undefined) return refuse('not-mounted', `nothing is mounted at ${at(v)}`);
        return change(
          [{what: 'mounted', before: live.source, after: 'mounted anew'}],
          [run(v, ['mount', '-o', v.opts === undefined ? 'remount' : `remount,${v.opts}`, at(v)])],
        );
      case 'present':
      case 'mounted':
      case 'ephemeral':
        break;
    }
    const wanted = wantedEntry(v, v.state === 'ephemeral' ? undefined : entry);
    const differs = v.state !== 'ephemeral' && (entry === undefined || !sameFstabEntry(entry, wanted));
    if (differs)
      writeTable(setFstabEntry(fstab, wanted), entry === undefined ? undefined : shown(entry), shown(wanted));
    if (v.state === 'present') return change(changes, ops);
    if (point.type !== 'absent' && point.type !== 'directory' && point.type !== 'link' && live === undefined)
      return refuse('not-a-directory', `${at(v)} is a ${point.type}, not a directory`);
    const mountIt = (): void => {
      changes.push({what: 'mounted', before: live?.source, after: wanted.source});
      ops.push(
        run(
          v,
          v.state === 'ephemeral'
            ? [
                'mount',
                ...(wanted.type === 'auto' ? [] : ['-t', wanted.type]),
                '-o',
                wanted.options.join(','),
                wanted.source,
                at(v),
              ]
            : ['mount', ...(v.fstab === '/etc/fstab' ? [] : ['-T', v.fstab]), at(v)],
        ),
      );
    };
    if (live === undefined) {
      if (point.type === 'absent') {
        changes.push({what: 'directory', before: undefined, after: at(v)});
        ops.push({op: 'mkdir', path: at(v), parents: true});
      }
      mountIt();
    } else if (isAnother(wanted, live)) {
      if (v.state === 'ephemeral')
        return refuse('in-use', `${live.source} is mounted at ${at(v)}`, {
          help: 'unmount it first: `state: unmounted`',
        });
      ops.push(run(v, ['umount', at(v)]));
      mountIt();
    } else if (differs && entry !== undefined && entry.options.join(',') !== wanted.options.join(',')) {
      changes.push({what: 'mounted', before: entry.options.join(','), after: wanted.options.join(',')});
      ops.push(
        run(v, [
          'mount',
          '-o',
          `remount,${wanted.options.filter((o) => o !== 'noauto').join(',') || 'defaults'}`,
          at(v),
        ]),
      );
    }
    return changes.length === 0 ? converged() : change(changes, ops);
  },
  result: (v) => ({name: at(v), src: v.src ?? null, fstype: v.fstype ?? null, opts: v.opts ?? null, fstab: v.fstab}),
});

/** Whether something else is mounted there, as far as names tell: labels and UUIDs are the kernel's to resolve, and so are links below /dev. */
function isAnother(wanted: FstabEntry, live: Mounted): boolean {
  if (wanted.options.some((option) => option === 'bind' || option === 'rbind')) return false;
  if (wanted.type !== 'auto' && wanted.type !== live.type && !live.type.startsWith('fuse')) return true;
  const named = /^[^/]+:\//.test(wanted.source) || /^\/dev\/[a-z]+[0-9]*$/.test(wanted.source);
  return named && /^(\/dev\/[a-z]+[0-9]*|[^/]+:\/.*)$/.test(live.source) && wanted.source !== live.source;
}
