// What files carry besides owner and mode: chattr's flags and SELinux's context. Ansible's file modules take both everywhere, so they are one
// building block here: parameters, a read that costs nothing unless one of them is given, and a step that adds what differs to any plan.
import type {Op} from './op.ts';
import {change, refuse, type Change, type Plan} from './plan.ts';
import {nothing, type Probe} from './probe.ts';
import {read, stdoutText} from './reads.ts';
import {p, type Values} from './schema.ts';
import {sh} from './shell.ts';

/** Parameters that every module has which makes files. *source*: Ansible's "files" documentation fragment; chattr(1), chcon(1). */
export const labelParams = {
  attributes: p.string('flags as for chattr: `+i` adds, `-i` takes away, `=i` or `i` sets exactly these', {
    aliases: ['attr'],
    pattern: '^[-+=]?[A-Za-z]*$',
    describe: 'flags as for chattr, such as "+i"',
  }),
  seuser: p.string("SELinux user of the file's context; without SELinux on the host nothing is done"),
  serole: p.string("SELinux role of the file's context"),
  setype: p.string("SELinux type of the file's context"),
  selevel: p.string("SELinux level of the file's context", {aliases: ['serange']}),
  unsafe_writes: p.boolean('accepted for compatibility: files are always replaced in one step'),
} as const;
export type LabelValues = Partial<Values<typeof labelParams>>;

/** `context`: undefined where the host has no SELinux, '' where the path is not there. `flags`: undefined where they cannot be read. */
export type Labels = {readonly context?: string; readonly flags?: string};

const parts = ['seuser', 'serole', 'setype', 'selevel'] as const;
const chconFlags = {seuser: '-u', serole: '-r', setype: '-t', selevel: '-l'} as const;

function wantsLabels(v: LabelValues): boolean {
  return v.attributes !== undefined || parts.some((part) => v[part] !== undefined);
}

/** Reads flags and context of a path where a parameter speaks of them. */
export function probeLabels(path: string, v: LabelValues): Probe<Labels> {
  if (!wantsLabels(v)) return nothing({});
  return read(
    sh`[ ! -e /sys/fs/selinux/enforce ] || stat -L -c 'context %C' -- ${path} 2>/dev/null || echo context
lsattr -d -- ${path} 2>/dev/null | sed 's/ .*//; s/^/flags /'
:`,
    (reply) => {
      const text = stdoutText(reply);
      const context = /^context ?(\S*)/m.exec(text)?.[1];
      const flags = /^flags (\S+)/m.exec(text)?.[1]?.replaceAll('-', '');
      return {...(context === undefined ? {} : {context}), ...(flags === undefined ? {} : {flags})};
    },
    {dependsOn: [`file:${path}`]},
  );
}

/**
 * A plan with the flags and the context that its path shall have. A file that is written anew has neither its old flags nor its old context;
 * one that must not be changed (`i`, `a`) is let loose for the time of the change.
 */
export function withLabels(plan: Plan, path: string, v: LabelValues, now: Labels): Plan {
  if (!wantsLabels(v) || plan.kind === 'refuse') return plan;
  const changes: Change[] = plan.kind === 'change' ? [...plan.changes] : [];
  const ops: Op[] = plan.kind === 'change' ? [...plan.ops] : [];
  if (ops.some((op) => op.op === 'remove' && op.path === path)) return plan;
  const replaced = ops.some((op) => op.op !== 'chmod' && op.op !== 'chown' && op.op !== 'mkdir');
  if (v.attributes !== undefined) {
    if (now.flags === undefined && !replaced && ops.length === 0)
      return refuse('no-flags', `the flags of ${path} cannot be read`, {
        param: '/attributes',
        help: 'the file system has to know them, and lsattr (e2fsprogs) has to be there',
      });
    const before = now.flags ?? '';
    const wanted = wantedFlags(v.attributes, before);
    const loosened = ops.length > 0 && /[ia]/.test(before);
    if (loosened) ops.unshift(run(['chattr', '-ia', '--', path], path));
    const inPlace = replaced ? '' : loosened ? before.replace(/[ia]/g, '') : before;
    if (sorted(before) !== sorted(wanted))
      changes.push({what: 'attributes', before: sorted(before), after: sorted(wanted)});
    const missing = Array.from(wanted)
      .filter((flag) => !inPlace.includes(flag))
      .join('');
    const surplus = Array.from(inPlace)
      .filter((flag) => !wanted.includes(flag))
      .join('');
    if (surplus !== '') ops.push(run(['chattr', `-${surplus}`, '--', path], path));
    if (missing !== '') ops.push(run(['chattr', `+${missing}`, '--', path], path));
  }
  if (now.context !== undefined) {
    const [user, role, type, ...level] = now.context.split(':');
    const before = {seuser: user, serole: role, setype: type, selevel: level.join(':')};
    for (const part of parts) {
      const wanted = v[part];
      if (wanted === undefined || wanted === '_default') continue;
      if (wanted !== before[part])
        changes.push({what: part, before: now.context === '' ? undefined : before[part], after: wanted});
      if (wanted !== before[part] || replaced) ops.push(run(['chcon', chconFlags[part], wanted, '--', path], path));
    }
  }
  return changes.length === 0 ? plan : change(changes, ops);
}

/** *source*: chattr(1). Extents (`e`) are the file system's own and cannot be taken away. */
function wantedFlags(spelled: string, before: string): string {
  const [, operator, flags = ''] = /^([-+=]?)(.*)$/.exec(spelled) ?? [];
  if (operator === '+') return Array.from(new Set(before + flags)).join('');
  if (operator === '-')
    return Array.from(before)
      .filter((flag) => !flags.includes(flag))
      .join('');
  return Array.from(new Set(before.includes('e') ? `${flags}e` : flags)).join('');
}

function sorted(flags: string): string {
  const text = Array.from(flags).sort().join('');
  return text === '' ? '(none)' : text;
}

function run(argv: [string, ...string[]], path: string): Op {
  return {op: 'run', argv, affects: [`file:${path}`]};
}
