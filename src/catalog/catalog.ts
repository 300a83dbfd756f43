// What a task may name: engine actions, the site's own modules, the modules of this package. Names come from folder listings; a module's code is
// imported when it is named.
import {readdirSync} from 'node:fs';
import {join, relative} from 'node:path';
import {fileURLToPath} from 'node:url';
import {nearestName} from '../base/nearest.ts';
import {ok} from '../base/result.ts';
import type {Result} from '../base/result.ts';
import type {Module} from '../kit/module.ts';
import type {ActionSpec} from './action-spec.ts';
import {importModule} from './import-module.ts';
import {canonicalName, withoutCollection} from './names.ts';

/** What a name stands for. */
export type Found =
  {readonly found: 'module'; readonly module: Module} | {readonly found: 'action'; readonly action: ActionSpec};

export type CatalogOptions = {
  /** tasks of the engine, by name */
  readonly actions?: ReadonlyMap<string, ActionSpec>;
  /** folders with the site's own modules (`modules/` beside the playbook, `modules_path`), first wins */
  readonly folders?: readonly string[];
  /** paths in messages are shown relative to it */
  readonly cwd?: string;
};

const builtInFolder = fileURLToPath(new URL('../../modules', import.meta.url));

/** Names that a task may have that are no module of any catalog: they are parts of the language. */
export const includeNames: ReadonlySet<string> = new Set([
  'include_tasks',
  'import_tasks',
  'include_role',
  'import_role',
  'include',
  'import_playbook',
]);

/** Finds modules and actions by name. */
export class Catalog {
  readonly actions: ReadonlyMap<string, ActionSpec>;
  readonly #folders: readonly string[];
  readonly #cwd: string;
  readonly #listings: Map<string, ReadonlyMap<string, string>>;
  readonly #imported: Map<string, Result<Module>>;

  constructor(options: CatalogOptions = {}, shared?: Catalog) {
    this.actions = options.actions ?? new Map();
    this.#folders = [...new Set([...(options.folders ?? []), builtInFolder])];
    this.#cwd = options.cwd ?? process.cwd();
    this.#listings = shared === undefined ? new Map<string, ReadonlyMap<string, string>>() : shared.#listings;
    this.#imported = shared === undefined ? new Map<string, Result<Module>>() : shared.#imported;
  }

  /** The same catalog with further folders in front: a playbook's or role's own modules. */
  with(folders: readonly string[]): Catalog {
    const present = folders.filter((folder) => !this.#folders.includes(folder) && this.#list(folder).size > 0);
    if (present.length === 0) return this;
    return new Catalog({actions: this.actions, folders: [...present, ...this.#folders], cwd: this.#cwd}, this);
  }

  /** What a task's key stands for; undefined if there is no such module. *errors*: `bad-module` in the module's file. */
  find(name: string): Result<Found> | undefined {
    const canonical = this.canonical(name);
    if (canonical === undefined) return undefined;
    const action = this.actions.get(canonical);
    if (action !== undefined) return ok({found: 'action', action});
    const path = this.fileOf(canonical);
    if (path === undefined) return undefined;
    const module = this.#import(path);
    return module.ok ? ok({found: 'module', module: module.value}) : module;
  }

  /** The name under which we know what a task's key says; undefined if there is nothing of that name. Imports nothing. */
  canonical(name: string): string | undefined {
    for (const candidate of [withoutCollection(name), canonicalName(name)]) {
      if (this.actions.has(candidate) || this.fileOf(candidate) !== undefined) return candidate;
    }
    return undefined;
  }

  /** Every module and action, sorted. Imports nothing. */
  names(): readonly string[] {
    const names = new Set(this.actions.keys());
    for (const folder of this.#folders) for (const name of this.#list(folder).keys()) names.add(name);
    return [...names].sort();
  }

  /** The known name nearest to one that is not known. */
  nearest(name: string): string | undefined {
    return nearestName(withoutCollection(name), [...this.names(), ...includeNames]);
  }

  /** The file of a module. */
  fileOf(name: string): string | undefined {
    for (const folder of this.#folders) {
      const path = this.#list(folder).get(name);
      if (path !== undefined) return path;
    }
    return undefined;
  }

  /** The file of a module that is the site's own; undefined for those that come with tsplay. */
  ownFileOf(name: string): string | undefined {
    const path = this.fileOf(name);
    return path === undefined || path.startsWith(builtInFolder) ? undefined : path;
  }

  #import(path: string): Result<Module> {
    let module = this.#imported.get(path);
    if (module === undefined) {
      const short = relative(this.#cwd, path);
      module = importModule(path, short.startsWith('..') ? path : short, path.startsWith(builtInFolder));
      this.#imported.set(path, module);
    }
    return module;
  }

  #list(folder: string): ReadonlyMap<string, string> {
    let listing = this.#listings.get(folder);
    if (listing === undefined) {
      const files = new Map<string, string>();
      try {
        for (const file of readdirSync(folder)) {
          const name = /^([a-z][a-z0-9_]*)\.(?:ts|mts|js|mjs)$/.exec(file)?.[1];
          if (name !== undefined && !file.endsWith('.d.ts')) files.set(name, join(folder, file));
        }
      } catch {
        // no such folder: no modules
      }
      listing = files;
      this.#listings.set(folder, listing);
    }
    return listing;
  }
}
