import {
  all,
  change,
  defineModule,
  file,
  p,
  presentText,
  rawShell,
  read,
  rewrite,
  stdoutText,
  type Change,
  type Op,
} from '#kit';

/** The host's own name: now, and after a boot. *source*: Ansible's hostname; hostname(5). */
export default defineModule({
  name: 'hostname',
  summary: "The host's own name",
  params: {
    name: p.string('the name', {
      required: true,
      pattern: '^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$',
      describe: 'a host name (letters, digits, `-` and dots between)',
    }),
    use: p.string("accepted for compatibility: the host's own way is used"),
  },
  examples: ['- hostname:\n    name: web1.example.test\n'],
  check: (v) =>
    v.name.length > 64
      ? [{code: 'bad-param', message: 'the kernel takes names of at most 64 characters', param: '/name'}]
      : [],
  probe: () =>
    all({
      file: file('/etc/hostname', {content: 'always'}),
      live: read(rawShell('cat /proc/sys/kernel/hostname'), (reply) => stdoutText(reply).trim(), {
        dependsOn: ['raw:hostname'],
      }),
    }),
  plan: (v, {file: now, live}) => {
    const present = presentText('/etc/hostname', now);
    if ('kind' in present) return present;
    const kept = (present.text ?? '')
      .split('\n')
      .find((line) => line.trim() !== '' && !line.startsWith('#'))
      ?.trim();
    const changes: Change[] = [];
    const ops: Op[] = [];
    if (kept !== v.name) {
      changes.push({what: '/etc/hostname', before: kept, after: v.name});
      ops.push(rewrite('/etc/hostname', present, `${v.name}\n`, {mode: '0644', owner: 'root', group: 'root'}));
    }
    if (live !== v.name) {
      changes.push({what: 'name now', before: live, after: v.name});
      ops.push({
        op: 'run',
        argv: ['/bin/sh', '-c', 'cat >/proc/sys/kernel/hostname'],
        stdin: v.name,
        affects: ['raw:hostname'],
      });
    }
    return change(changes, ops);
  },
  result: (v) => ({
    name: v.name,
    ansible_facts: {ansible_hostname: v.name.split('.')[0] ?? v.name, ansible_nodename: v.name},
  }),
});
