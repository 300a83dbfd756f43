// Files of the site, each read and parsed once; whole-file vaults are opened on the way.
import {existsSync, readFileSync, statSync} from './disk.ts';
import {error} from '../base/diagnostic.ts';
import type {Diagnostic, Source, Span} from '../base/diagnostic.ts';
import {isVault} from '../secrets/vault.ts';
import type {VaultPassword} from '../secrets/vault.ts';
import {shownPath} from './inventory-load.ts';
import type {Node} from './node.ts';
import {openVault} from './open-vault.ts';
import {problemsOfFile} from './yaml-documents.ts';
import {parseYaml} from './yaml.ts';
import type {Parsed} from './yaml.ts';

export type YamlFile = {
  readonly source: Source;
  readonly node: Node | undefined;
  readonly problems: readonly Diagnostic[];
};

/** Reads YAML files and keeps them. */
export class YamlFiles {
  readonly cwd: string;
  readonly #passwords: readonly VaultPassword[];
  readonly #files = new Map<string, YamlFile>();

  constructor(cwd: string, passwords: readonly VaultPassword[] = []) {
    this.cwd = cwd;
    this.#passwords = passwords;
  }

  /** A path as messages show it. */
  shown(path: string): string {
    return shownPath(this.cwd, path);
  }

  /** The file, parsed; its problems are given at the first call only, so that nobody reports them twice. `by`: who named it. */
  read(path: string, by?: Span): YamlFile {
    const known = this.#files.get(path);
    if (known !== undefined) return known;
    const file = this.#read(path, by);
    this.#files.set(path, {...file, problems: []});
    return file;
  }

  #read(path: string, by: Span | undefined): YamlFile {
    const shown = this.shown(path);
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (cause) {
      const reason =
        (cause as NodeJS.ErrnoException).code === 'ENOENT'
          ? 'does not exist'
          : `cannot be read: ${(cause as Error).message}`;
      const problem = error('missing-file', `${shown} ${reason}`, by === undefined ? {} : {span: by});
      return {source: {path: shown, text: ''}, node: undefined, problems: [problem]};
    }
    const raw: Source = {path: shown, text};
    if (!isVault(text)) return {source: raw, ...pick(parseYaml(raw))};
    const opened = openVault(raw, this.#passwords);
    return opened.ok
      ? {source: opened.value, ...pick(parseYaml(opened.value))}
      : {source: raw, node: undefined, problems: opened.problems};
  }
}

function pick(parsed: Parsed): Pick<YamlFile, 'node' | 'problems'> {
  return {node: parsed.node, problems: problemsOfFile(parsed)};
}

/** The first of several paths that is a file. */
export function firstFile(paths: readonly string[]): string | undefined {
  return paths.find((path) => existsSync(path) && statSync(path).isFile());
}

/** The first of several paths that is a folder. */
export function firstFolder(paths: readonly string[]): string | undefined {
  return paths.find((path) => existsSync(path) && statSync(path).isDirectory());
}
