/* Records of passwd(5), group(5) and shadow(5), from the files or from `getent`. Lines that are none (comments, NIS `+`) are left out. */
import {Secret} from '../base/secret.ts';
import {lineBody, splitLines} from './text-lines.ts';

export type PasswdEntry = {
  readonly name: string;
  readonly uid: number;
  /** the primary group */
  readonly gid: number;
  readonly gecos: string;
  readonly home: string;
  /** `/bin/sh` where the field is empty */
  readonly shell: string;
};

export type GroupEntry = {
  readonly name: string;
  readonly gid: number;
  /** names as listed; accounts with this primary group are not among them */
  readonly members: readonly string[];
};

export type ShadowEntry = {
  readonly name: string;
  /** the hash field whole, with a leading `!` of a locked account */
  readonly hash: Secret;
  /** begins with `!` or `*`: no password opens this account */
  readonly locked: boolean;
  /** *units*: days since 1970-01-01; 0 = must be changed at the next login */
  readonly lastChangeDay?: number;
  readonly minDays?: number;
  readonly maxDays?: number;
  readonly warnDays?: number;
  readonly inactiveDays?: number;
  /** *units*: days since 1970-01-01 */
  readonly expireDay?: number;
};

function records(text: string, fields: number): string[][] {
  return splitLines(text)
    .map((line) => lineBody(line).split(':'))
    .filter((parts) => parts.length >= fields && /^[^#+\s-]/.test(parts[0] ?? ''));
}

function count(field: string | undefined): number | undefined {
  return field !== undefined && /^-?\d+$/.test(field) ? Number(field) : undefined;
}

/** Accounts in order, first one of a name first. */
export function parsePasswd(text: string): readonly PasswdEntry[] {
  return records(text, 7).flatMap(([name = '', , uidField, gidField, gecos = '', home = '', shell = '']) => {
    const uid = count(uidField);
    const gid = count(gidField);
    return uid === undefined || gid === undefined ? [] : [{name, uid, gid, gecos, home, shell: shell || '/bin/sh'}];
  });
}

/** Groups in order. */
export function parseGroup(text: string): readonly GroupEntry[] {
  return records(text, 4).flatMap(([name = '', , gidField, members = '']) => {
    const gid = count(gidField);
    return gid === undefined ? [] : [{name, gid, members: members.split(',').filter((member) => member !== '')}];
  });
}

/** Shadow records in order; hashes are secrets. */
export function parseShadow(text: string): readonly ShadowEntry[] {
  const names = ['lastChangeDay', 'minDays', 'maxDays', 'warnDays', 'inactiveDays', 'expireDay'] as const;
  return records(text, 2).map(([name = '', hash = '', ...rest]) => {
    const days = names.flatMap((key, i) => {
      const value = count(rest[i]);
      return value === undefined ? [] : [[key, value] as const];
    });
    return {name, hash: Secret.of(hash), locked: /^[!*]/.test(hash), ...Object.fromEntries(days)};
  });
}

/** Names of all accounts in a group: the listed ones and those whose primary group it is, sorted. */
export function membersOf(group: GroupEntry, accounts: readonly PasswdEntry[]): readonly string[] {
  const primary = accounts.filter((account) => account.gid === group.gid).map((account) => account.name);
  return [...new Set([...group.members, ...primary])].sort();
}
