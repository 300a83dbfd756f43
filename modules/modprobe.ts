import {
  all,
  change,
  defineModule,
  file,
  fileDiff,
  list,
  p,
  presentText,
  read,
  refuse,
  sh,
  stdoutText,
  type Change,
  type Op,
  type Plan,
} from '#kit';

/** A kernel module: loaded now, and (where asked for) at boot. *source*: Ansible's modprobe; modules-load.d(5), modprobe.d(5). */
export default defineModule({
  name: 'modprobe',
  summary: 'A kernel module: loaded or not, now and at boot',
  params: {
    name: p.string('the module', {
      required: true,
      pattern: '^[A-Za-z0-9][A-Za-z0-9_-]*$',
      describe: 'the name of a kernel module',
    }),
    state: p.choice(['present', 'absent'], 'loaded or not', {default: 'present'}),
    params: p.string('its parameters', {default: '', pattern: '^[^\\n]*$', describe: 'one line'}),
    persistent: p.choice(['disabled', 'present', 'absent'], 'loaded at boot: as it is, yes or no', {
      default: 'disabled',
    }),
  },
  examples: ['- modprobe:\n    name: loop\n    state: present\n'],
  probe: (v) =>
    all({
      // a built-in module has a folder below /sys/module only where it has parameters, but always a line in modules.builtin
      kernel: read(
        sh`n=$(printf %s ${v.name} | tr - _)
if grep -q "^$n " /proc/modules 2>/dev/null; then echo loaded
elif [ -d "/sys/module/$n" ] || grep -Eqs "/$(printf %s "$n" | sed 's/_/[-_]/g')\.ko" "/lib/modules/$(uname -r)/modules.builtin"; then echo built-in
else echo absent; fi
command -v modprobe || :`,
        (reply) => {
          const [state = 'absent', program = ''] = stdoutText(reply).split('\n');
          return {state, canLoad: program !== ''};
        },
        {dependsOn: ['raw:modules', 'package:*']},
      ),
      load: file(`/etc/modules-load.d/${v.name}.conf`, {content: 'always'}),
      options: file(`/etc/modprobe.d/${v.name}.conf`, {content: 'always'}),
      folders: list(['/etc/modules-load.d', '/etc/modprobe.d'].map((path) => file(path))),
    }),
  plan: (v, {kernel, load, options, folders}): Plan => {
    const changes: Change[] = [];
    const ops: Op[] = [];
    const wanted = v.state === 'present';
    if (!wanted && kernel.state === 'built-in')
      return refuse('built-in', `${v.name} is part of the kernel and cannot be taken out`);
    if (wanted === (kernel.state === 'absent')) {
      if (!kernel.canLoad)
        return refuse('no-modprobe', 'there is no `modprobe` on this host', {help: 'install `kmod`'});
      changes.push({
        what: `module ${v.name}`,
        before: wanted ? undefined : 'loaded',
        after: wanted ? 'loaded' : undefined,
      });
      const given = v.params.split(/\s+/).filter((word) => word !== '');
      ops.push({
        op: 'run',
        argv: wanted ? ['modprobe', v.name, ...given] : ['modprobe', '-r', v.name],
        affects: ['raw:modules', 'device:*', 'tree:/proc/sys'],
      });
    }
    if (v.persistent !== 'disabled') {
      const atBoot = v.persistent === 'present';
      for (const [i, [path, now, text]] of (
        [
          [`/etc/modules-load.d/${v.name}.conf`, load, `${v.name}\n`],
          [`/etc/modprobe.d/${v.name}.conf`, options, v.params === '' ? undefined : `options ${v.name} ${v.params}\n`],
        ] as const
      ).entries()) {
        const present = presentText(path, now);
        if ('kind' in present) return present;
        if (!atBoot || text === undefined) {
          if (present.text === undefined || (atBoot && text === undefined)) continue;
          changes.push({what: path, before: present.text, after: undefined});
          ops.push({op: 'remove', path});
          continue;
        }
        if (says(present.text ?? '', text)) continue;
        const diff = fileDiff({path, content: `${present.text ?? ''}${text}`}, now);
        if (diff.refusal !== undefined) return diff.refusal;
        changes.push(...diff.changes.filter((c) => c.what === 'content').map((c) => ({...c, what: path})));
        if (folders[i]?.type === 'absent') ops.push({op: 'mkdir', path: path.replace(/\/[^/]*$/, '')});
        ops.push(...diff.ops);
      }
    }
    return change(changes, ops);
  },
  result: (v) => ({name: v.name, state: v.state, params: v.params}),
});

/** Whether one of a file's lines is this one. */
function says(text: string, line: string): boolean {
  const normal = (one: string): string => one.trim().replace(/\s+/g, ' ');
  return text.split('\n').some((one) => normal(one) === normal(line));
}
