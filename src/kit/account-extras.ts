// What an account may have besides its entry in passwd: how its password ages, and a key pair of its own.
import type {Op} from './op.ts';
import type {Change} from './plan.ts';
import {all, nothing, type Probe} from './probe.ts';
import {read, stdoutText} from './reads.ts';
import {sh} from './shell.ts';

/** Wanted; undefined = as it is. *units*: days. */
export type ExtrasValues = {
  readonly name: string;
  readonly password_expire_min?: number | undefined;
  readonly password_expire_max?: number | undefined;
  readonly password_expire_warn?: number | undefined;
  readonly generate_ssh_key?: boolean | undefined;
  readonly ssh_key_file?: string | undefined;
  readonly ssh_key_type: string;
  readonly ssh_key_bits: number;
  readonly ssh_key_comment?: string | undefined;
};

/** The three numbers as shadow has them ('' = none); whether the key is there. */
export type Extras = {readonly aging: readonly string[]; readonly hasKey: boolean};

const ages = [
  ['password_expire_min', '-m', 'days before a password may be changed'],
  ['password_expire_max', '-M', 'days a password is good for'],
  ['password_expire_warn', '-W', 'days of warning'],
] as const;

export function extrasProbe(v: ExtrasValues, home: string): Probe<Extras> {
  const aging = ages.every(([param]) => v[param] === undefined)
    ? nothing<readonly string[]>([])
    : read(sh`getent shadow -- ${v.name} | cut -d: -f4-6`, (reply) => stdoutText(reply).trim().split(':'), {
        dependsOn: [`account:${v.name}`],
      });
  const key =
    v.generate_ssh_key === true
      ? read(sh`[ -e ${keyPath(v, home)} ]`, (reply) => reply.exit === 0, {dependsOn: [`file:${keyPath(v, home)}`]})
      : nothing(true);
  return all({aging, hasKey: key});
}

/** *source*: chage(1), ssh-keygen(1), Ansible's user. */
export function planExtras(
  v: ExtrasValues,
  home: string,
  now: Extras,
): {readonly changes: readonly Change[]; readonly ops: readonly Op[]} {
  const changes: Change[] = [];
  const ops: Op[] = [];
  const words: string[] = [];
  ages.forEach(([param, flag, what], i) => {
    const wanted = v[param];
    const before = now.aging[i] ?? '';
    if (wanted === undefined || String(wanted) === before) return;
    changes.push({what, before: before === '' ? undefined : before, after: String(wanted)});
    words.push(flag, String(wanted));
  });
  if (words.length > 0) ops.push({op: 'run', argv: ['chage', ...words, v.name], affects: [`account:${v.name}`]});
  if (!now.hasKey) {
    const path = keyPath(v, home);
    const comment = v.ssh_key_comment ?? '';
    const script = `d=$(dirname "$1"); [ -d "$d" ] || install -d -m 0700 -o "$2" -g "$(id -g "$2")" "$d" || exit 1
ssh-keygen -q -t "$3" \${4:+-b "$4"} -N '' -C "\${5:-ansible-generated on $(hostname)}" -f "$1" </dev/null && chown "$2:$(id -g "$2")" "$1" "$1.pub"`;
    const bits = v.ssh_key_bits > 0 && v.ssh_key_type !== 'ed25519' ? String(v.ssh_key_bits) : '';
    changes.push({what: 'SSH key', before: undefined, after: path});
    ops.push({
      op: 'run',
      argv: ['/bin/sh', '-c', script, 'sh', path, v.name, v.ssh_key_type, bits, comment],
      affects: [`file:${path}`, `file:${path}.pub`, `tree:${path.replace(/\/[^/]*$/, '')}`],
    });
  }
  return {changes, ops};
}

function keyPath(v: ExtrasValues, home: string): string {
  const file = v.ssh_key_file ?? `.ssh/id_${v.ssh_key_type}`;
  return file.startsWith('/') ? file : `${home}/${file}`;
}
