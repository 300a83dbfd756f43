import {isMapping} from '../base/json.ts';
import {fileKey, unitKey, type Key} from '../kit/key.ts';
import type {Probe} from '../kit/probe.ts';

/**
 * What a task may change of which nobody can tell yet whether and how it will: later tasks that look at one of these keys wait for it too.
 * `params` are its parameters as far as they are known; `probe` what it reads, where that is known.
 */
export function suspectKeys(params: unknown, probe: Probe<unknown> | undefined): readonly Key[] {
  const keys = new Set<Key>();
  const paths = [...pathsIn(params)];
  for (const path of paths) keys.add(fileKey(path)).add(`tree:${path}`);
  if (probe === undefined) {
    for (const name of namesIn(params))
      keys.add(`account:${name}`).add(`group:${name}`).add(`package:${name}`).add(unitKey(name));
    return [...keys];
  }
  const looked = probe.reads.flatMap((read) => (read.read === 'file' ? [read.path] : []));
  for (const read of probe.reads) {
    if (read.read === 'raw') for (const key of read.dependsOn) if (!isBystander(key)) keys.add(key);
    // a folder on the way to something else that it looks at is not what it is about
    if (read.read === 'file' && [...looked, ...paths].some((path) => path.startsWith(`${read.path}/`))) continue;
    if (read.read !== 'raw') keys.add(read.key);
  }
  return [...keys];
}

/** What raw reads look up by the way: whoever changes accounts or packages reads them by their kind. */
function isBystander(key: Key): boolean {
  return key === 'tree:/' || /^(?:account|group|package):/.test(key);
}

/** Absolute paths among the texts of parameters, and in command lines. */
function* pathsIn(value: unknown): Generator<string> {
  if (typeof value === 'string') {
    if (value.startsWith('/') && !value.includes('\n')) yield value.replace(/(?<=.)\/+$/, '');
    else if (value.length < 2000)
      for (const [, path] of value.matchAll(/(?:^|[\s=>])(\/(?:srv|etc|var|home|root|opt|tmp)[\w./@%+-]*)/g))
        yield path!;
  } else if (Array.isArray(value)) for (const element of value) yield* pathsIn(element);
  else if (isMapping(value)) for (const element of Object.values(value)) yield* pathsIn(element);
}

/** What `name` says: accounts, groups, packages, units. */
function* namesIn(params: unknown): Generator<string> {
  const name = isMapping(params) ? params['name'] : undefined;
  for (const one of Array.isArray(name) ? (name as unknown[]) : [name])
    if (typeof one === 'string' && /^[\w.@+-]+$/.test(one)) yield one;
}
