import {
  all,
  change,
  defineModule,
  file,
  isNonEmpty,
  p,
  presentText,
  read,
  refuse,
  rewrite,
  sh,
  stdoutText,
  type Change,
  type Op,
  type Plan,
  type Values,
} from '#kit';

const params = {
  name: p.string('the setting, such as net.ipv4.ip_forward', {
    required: true,
    aliases: ['key'],
    pattern: '^[A-Za-z0-9_][A-Za-z0-9_./@:-]*$',
    describe: 'a name below /proc/sys, with dots',
  }),
  value: p.string('its value', {aliases: ['val']}),
  state: p.choice(['present', 'absent'], 'whether the file says it', {default: 'present'}),
  sysctl_file: p.path('the file that keeps it over a boot', {default: '/etc/sysctl.conf'}),
  reload: p.boolean("the kernel's own value too, where the file has to be changed", {default: true}),
  sysctl_set: p.boolean("the kernel's own value too, in every case", {default: false}),
  ignoreerrors: p.boolean('a setting that this kernel does not have is fine', {default: false}),
};
type V = Values<typeof params>;

/** Where the kernel shows it. A slash in a name stands for a dot in a part of it (`net.ipv4.conf.eth0/1.forwarding`). *source*: sysctl(8). */
function procPath(name: string): string {
  const dotted = !name.includes('/') || name.indexOf('.') < name.indexOf('/');
  const swapped = dotted ? name.replace(/[./]/g, (c) => (c === '.' && name.includes('.') ? '/' : '.')) : name;
  return `/proc/sys/${swapped}`;
}

function normal(value: string): string {
  return value.trim().replace(/\s+/g, ' ');
}

/** A line that sets this name. *source*: sysctl.conf(5); a `-` in front: errors are ignored. */
function isOf(name: string): (line: string) => boolean {
  const same = (text: string): string => text.replaceAll('/', '.');
  return (line) => {
    const [, key] = /^\s*-?\s*([^#;=\s][^=\s]*)\s*=/.exec(line) ?? [];
    return key !== undefined && same(key) === same(name);
  };
}

function edited(v: V, text: string): string {
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  const mine = isOf(v.name);
  const last = lines.findLastIndex(mine);
  if (v.state === 'absent') return last < 0 ? text : joined(lines.filter((line) => !mine(line)));
  const present = last < 0 ? undefined : normal((lines[last] ?? '').slice((lines[last] ?? '').indexOf('=') + 1));
  const count = lines.filter(mine).length;
  if (present === normal(v.value ?? '') && count === 1) return text;
  const line = `${v.name}=${normal(v.value ?? '')}`;
  if (last < 0) return joined([...lines, line]);
  return joined(lines.flatMap((old, i) => (i === last ? [line] : mine(old) ? [] : [old])));
}

function joined(lines: readonly string[]): string {
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

/** A setting of the kernel, in a file and (where asked for) at once. *source*: Ansible's sysctl; sysctl.conf(5). */
export default defineModule({
  name: 'sysctl',
  summary: "A kernel's setting, now and after a boot",
  params,
  examples: [
    '- sysctl:\n    name: net.ipv4.conf.all.log_martians\n    value: "1"\n    sysctl_set: true\n    sysctl_file: /etc/sysctl.d/50-example.conf\n',
    '- sysctl:\n    name: net.ipv4.conf.all.log_martians\n    state: absent\n    sysctl_file: /etc/sysctl.d/50-example.conf\n',
  ],
  check: (v) =>
    v.state === 'present' && v.value === undefined
      ? [{code: 'missing-param', message: '`value` is needed with state present'}]
      : [],
  probe: (v) =>
    all({
      file: file(v.sysctl_file, {content: 'always'}),
      live: read(
        sh`cat -- ${procPath(v.name)} 2>/dev/null`,
        (reply) => (reply.exit === 0 ? stdoutText(reply) : undefined),
        {dependsOn: [`file:${procPath(v.name)}`, 'raw:modules']},
      ),
    }),
  plan: (v, {file: now, live}): Plan => {
    const present = presentText(v.sysctl_file, now);
    if ('kind' in present) return present;
    const before = present.text ?? '';
    const after = edited(v, before);
    const changes: Change[] = [];
    const ops: Op[] = [];
    if (after !== before) {
      changes.push({
        what: v.sysctl_file,
        before: present.text === '' ? '(empty)' : present.text,
        after: after === '' ? '(empty)' : after,
      });
      ops.push(rewrite(v.sysctl_file, present, after, {mode: '0644', owner: 'root', group: 'root'}));
    }
    if (v.state === 'present' && (v.sysctl_set || (v.reload && ops.length > 0))) {
      const wanted = normal(v.value ?? '');
      if (live === undefined && !v.ignoreerrors)
        return refuse('no-setting', `this kernel has no setting ${v.name}`, {
          help: 'load its module first, correct the name, or set `ignoreerrors: true`',
        });
      if (live !== undefined && normal(live) !== wanted) {
        changes.push({what: `kernel's ${v.name}`, before: normal(live), after: wanted});
        ops.push({
          op: 'run',
          argv: ['/bin/sh', '-c', 'cat >"$1"', 'sh', procPath(v.name)],
          stdin: `${wanted}\n`,
          affects: [`file:${procPath(v.name)}`],
          ...(v.ignoreerrors ? {accepts: 'any' as const} : {}),
        });
      }
    }
    return isNonEmpty(ops) ? change(changes, ops) : {kind: 'converged'};
  },
  result: (v) => ({name: v.name, value: v.value ?? null, state: v.state}),
});
