// Paths that begin at somebody's home folder: `~`, `~name` and `$HOME`, as Ansible expands them on the host. Where that is, only the host knows.
import {isMapping} from '../base/json.ts';
import type {Kind, Params} from '../kit/schema.ts';
import {canonicalParam} from './bind.ts';

/** The account whose home a path begins at ('' = the one that does the task), and the rest. */
function homeIn(text: string): {readonly account: string; readonly rest: string} | undefined {
  const [, account, rest] = /^(?:~([A-Za-z0-9._-]*)|\$\{?HOME\}?)(\/.*)?$/s.exec(text) ?? [];
  return /^(?:~|\$\{?HOME\b)/.test(text) && (rest !== undefined || /^(?:~[A-Za-z0-9._-]*|\$\{?HOME\}?)$/.test(text))
    ? {account: account ?? '', rest: rest ?? ''}
    : undefined;
}

function isPath(kind: Kind): boolean {
  return (
    kind.kind === 'path' ||
    (kind.kind === 'string' && kind.pattern?.startsWith('^/') === true) ||
    (kind.kind === 'either' && kind.of.some(isPath))
  );
}

/** Accounts whose homes the paths among a task's parameters begin at. */
export function homesIn(params: Params, values: Readonly<Record<string, unknown>>): readonly string[] {
  const accounts = new Set<string>();
  withHomes(params, values, (account) => {
    accounts.add(account);
    return '';
  });
  return [...accounts];
}

/** The parameters with homes put in; `home` gives what stands for one (a path, or something that is not known yet). */
export function withHomes(
  params: Params,
  values: Readonly<Record<string, unknown>>,
  home: (account: string) => unknown,
): Readonly<Record<string, unknown>> {
  const one = (value: unknown): unknown => {
    const found = typeof value === 'string' ? homeIn(value.trim()) : undefined;
    if (found === undefined) return value;
    const folder = home(found.account);
    return typeof folder === 'string' ? `${folder === '/' ? '' : folder}${found.rest}` || '/' : folder;
  };
  const entries = Object.entries(values).map(([key, value]) => {
    const kind = params[canonicalParam(params, key)]?.kind;
    if (kind === undefined) return [key, value] as const;
    if (isPath(kind)) return [key, one(value)] as const;
    if (kind.kind !== 'list' || !isPath(kind.of)) return [key, value] as const;
    return [key, Array.isArray(value) ? value.map(one) : one(value)] as const;
  });
  return entries.every(([key, value]) => value === values[key]) || !isMapping(values)
    ? values
    : Object.fromEntries(entries);
}
