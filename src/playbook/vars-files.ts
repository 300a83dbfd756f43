// Files below group_vars and host_vars. They are read when a host is worked on, never before: with 5,000 hosts and one target a run reads one
// host's files. What was read is kept, because many hosts share their groups.
import {readdirSync, readFileSync, statSync} from './disk.ts';
import {join} from 'node:path';
import {error, warning} from '../base/diagnostic.ts';
import type {Diagnostic, Source} from '../base/diagnostic.ts';
import {isVault} from '../secrets/vault.ts';
import type {VaultPassword} from '../secrets/vault.ts';
import type {Variable} from './inventory.ts';
import {shownPath} from './inventory-load.ts';
import {openVault} from './open-vault.ts';
import {problemsOfFile} from './yaml-documents.ts';
import {parseYaml} from './yaml.ts';

/** Variables of one file, or of several that belong to one name; problems lie in the files. */
export type VarsFile = {readonly variables: ReadonlyMap<string, Variable>; readonly problems: readonly Diagnostic[]};

const endings = ['', '.yml', '.yaml', '.json'];
const nothing: VarsFile = {variables: new Map(), problems: []};

/** Reads files of variables, each at most once. */
export class VarsFiles {
  /** paths are shown relative to it */
  readonly cwd: string;
  readonly #passwords: readonly VaultPassword[];
  readonly #listings = new Map<string, ReadonlySet<string>>();
  readonly #named = new Map<string, VarsFile>();
  readonly #files = new Map<string, VarsFile>();

  constructor(options: {readonly cwd: string; readonly vaultPasswords?: readonly VaultPassword[]}) {
    this.cwd = options.cwd;
    this.#passwords = options.vaultPasswords ?? [];
  }

  /** The variables that `folder/group_vars/name` (or host_vars) gives: a file, or all files of a folder; the first of name, name.yml, name.yaml, name.json. */
  named(folder: string, kind: 'group_vars' | 'host_vars', name: string): VarsFile {
    if (name.includes('/') || name.startsWith('.')) return nothing;
    const base = join(folder, kind);
    const listing = this.#list(base);
    const found = endings.map((ending) => name + ending).filter((file) => listing.has(file));
    const [first, second] = found;
    if (first === undefined) return nothing;
    const path = join(base, first);
    const known = this.#named.get(path);
    if (known !== undefined) return known;
    const parts = (isFolder(path) ? this.#below(path) : [path]).map((file) => this.file(file));
    const problems = parts.flatMap((part) => part.problems);
    if (second !== undefined) {
      const message = `${shownPath(this.cwd, join(base, second))} is not read, because ${first} stands beside it`;
      problems.push(warning('shadowed-vars-file', message, {help: 'keep one of them'}));
    }
    const merged: VarsFile = {variables: new Map(parts.flatMap((part) => [...part.variables])), problems};
    this.#named.set(path, merged);
    return merged;
  }

  /** All names that a folder has files for, to find those that no host or group bears. */
  names(folder: string, kind: 'group_vars' | 'host_vars'): readonly {name: string; path: string}[] {
    const base = join(folder, kind);
    return [...this.#list(base)]
      .filter((file) => !file.startsWith('.') && !file.endsWith('~'))
      .map((file) => ({name: file.replace(/\.(?:yml|yaml|json)$/, ''), path: join(base, file)}));
  }

  /** The variables of one file: a mapping in YAML or JSON, maybe a vault as a whole. */
  file(path: string): VarsFile {
    const known = this.#files.get(path);
    if (known !== undefined) return known;
    const read = this.#read(path);
    this.#files.set(path, read);
    return read;
  }

  #read(path: string): VarsFile {
    const shown = shownPath(this.cwd, path);
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (cause) {
      return {...nothing, problems: [error('unreadable-file', `${shown} cannot be read: ${(cause as Error).message}`)]};
    }
    const raw: Source = {path: shown, text};
    const opened = isVault(text) ? openVault(raw, this.#passwords) : {ok: true as const, value: raw};
    if (!opened.ok) return {...nothing, problems: opened.problems};
    return variablesOf(opened.value);
  }

  #list(folder: string): ReadonlySet<string> {
    let listing = this.#listings.get(folder);
    if (listing === undefined) {
      try {
        listing = new Set(readdirSync(folder));
      } catch {
        listing = new Set<string>();
      }
      this.#listings.set(folder, listing);
    }
    return listing;
  }

  #below(folder: string): string[] {
    return readdirSync(folder)
      .sort()
      .filter((name) => !name.startsWith('.') && !name.endsWith('~'))
      .flatMap((name) => {
        const path = join(folder, name);
        if (isFolder(path)) return this.#below(path);
        return /^[^.]+$|\.(?:yml|yaml|json)$/.test(name) ? [path] : [];
      });
  }
}

/** The variables that a YAML text holds: a mapping at its top. *errors*: `bad-vars-file`, and those of YAML. */
export function variablesOf(source: Source): VarsFile {
  const parsed = parseYaml(source);
  const {node} = parsed;
  const problems = problemsOfFile(parsed);
  if (node === undefined || (node.kind === 'scalar' && node.value === null)) return {variables: new Map(), problems};
  if (node.kind !== 'map') {
    if (problems.length > 0) return {...nothing, problems};
    const help = 'name: value';
    return {
      ...nothing,
      problems: [
        error('bad-vars-file', 'a file of variables must be a mapping of names to values', {span: node.span, help}),
      ],
    };
  }
  const variables = new Map(
    node.entries.map(({key, keySpan, value}): [string, Variable] => [key, {name: key, nameSpan: keySpan, value}]),
  );
  const bad = node.entries
    .filter(({key}) => !/^[A-Za-z_]\w*$/.test(key))
    .map(({key, keySpan}) =>
      warning('bad-variable-name', `"${key}" cannot be used as a variable`, {
        span: keySpan,
        help: 'names consist of letters, digits and _, and do not begin with a digit',
      }),
    );
  return {variables, problems: [...problems, ...bad]};
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
