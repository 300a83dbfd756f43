import {randomBytes} from 'node:crypto';
import {lstatSync, realpathSync, statSync} from './disk.ts';
import {homedir} from 'node:os';
import {standardEnvironment} from '../template/standard.ts';
import {Func} from '../template/values.ts';
import type {ControllerFiles, Environment, Filter, Test} from '../template/environment.ts';
import type {RunSettings} from './magic.ts';
import type {RunVariables} from './scope-layers.ts';
import {InventoryVariables} from './vars-inventory.ts';
import {VarsFiles} from './vars-files.ts';

/** What {@link runVariables} needs; see {@link RunVariables} for the rest, which may be left out. */
export type RunOptions = Pick<RunVariables, 'inventory' | 'cwd' | 'memoryOf'> &
  Partial<
    Omit<
      RunVariables,
      'inventory' | 'cwd' | 'memoryOf' | 'settings' | 'environment' | 'inventoryVariables' | 'lookupResults'
    >
  > & {
    readonly settings?: Partial<RunSettings>;
    /** filters and tests of the site's own */
    readonly filters?: ReadonlyMap<string, Filter>;
    readonly tests?: ReadonlyMap<string, Test>;
    readonly now?: () => Date;
    /** instead of the standard one */
    readonly environment?: Environment;
  };

const defaults: RunSettings = {
  checkMode: false,
  diffMode: false,
  limit: undefined,
  tags: [],
  skipTags: [],
  forks: 50,
  verbosity: 0,
};

/** What all scopes of one run share, made once. */
export function runVariables(options: RunOptions): RunVariables {
  const {inventory, cwd, settings, filters, tests, now, environment, ...rest} = options;
  const varsFiles = options.varsFiles ?? new VarsFiles({cwd, vaultPasswords: options.vaultPasswords ?? []});
  const moment = now?.() ?? new Date();
  return {
    extraVars: new Map(),
    vaultPasswords: [],
    env: {},
    ...rest,
    inventory,
    cwd,
    varsFiles,
    inventoryVariables: new InventoryVariables(inventory, varsFiles),
    environment: environment ?? environmentOf(filters, tests, now ?? ((): Date => moment), cwd),
    settings: {...defaults, ...settings},
    lookupResults: new Map(),
  };
}

/** The standard environment with the site's filters; `lookup` and its like stand in it so that checks know them, each scope brings the real ones. */
function environmentOf(
  filters: ReadonlyMap<string, Filter> | undefined,
  tests: ReadonlyMap<string, Test> | undefined,
  now: () => Date,
  cwd: string,
): Environment {
  const never = (name: string): [string, Func] => [name, new Func(name, () => null)];
  return standardEnvironment({
    ...(filters && {filters}),
    ...(tests && {tests}),
    globals: new Map(['lookup', 'query', 'q'].map(never)),
    now,
    randomBytes: (count) => randomBytes(count),
    files: controllerFiles(cwd),
  });
}

/** The controller's files as filters and tests such as `expanduser` and `is exists` see them. */
function controllerFiles(cwd: string): ControllerFiles {
  return {
    home: (user) => (user === undefined ? homedir() : undefined),
    realpath: (path) => {
      try {
        return realpathSync(path);
      } catch {
        return path;
      }
    },
    kind: (path) => {
      const found = statSync(path, {throwIfNoEntry: false});
      if (found === undefined) return undefined;
      return found.isFile() ? 'file' : found.isDirectory() ? 'directory' : 'other';
    },
    isLink: (path) => lstatSync(path, {throwIfNoEntry: false})?.isSymbolicLink() === true,
    cwd: () => cwd,
  };
}
