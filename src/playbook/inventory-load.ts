// Where inventories come from: files, folders, lists of names, programs; several of them are one inventory.
import {accessSync, constants, readdirSync, readFileSync, statSync} from './disk.ts';
import {dirname, extname, isAbsolute, join, relative, resolve} from 'node:path';
import {error} from '../base/diagnostic.ts';
import type {Diagnostic, Source, Span} from '../base/diagnostic.ts';
import {isVault} from '../secrets/vault.ts';
import type {VaultPassword} from '../secrets/vault.ts';
import {nearestName} from '../base/nearest.ts';
import {nodeOf} from './data-node.ts';
import {expandHosts} from './host-range.ts';
import {cachedAnswer} from './inventory-cache.ts';
import type {CacheOptions} from './inventory-cache.ts';
import {Inventory} from './inventory.ts';
import {readIniInventory} from './inventory-ini.ts';
import {portVariable, readYamlInventory} from './inventory-yaml.ts';
import {textOf} from './keywords.ts';
import {child} from './node.ts';
import type {MapNode} from './node.ts';
import {openVault} from './open-vault.ts';
import {parseYaml} from './yaml.ts';

export type InventoryOptions = {
  /** relative sources start here, and paths are shown relative to it */
  readonly cwd: string;
  /** environment of executable inventories */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** for one call of an executable inventory; *units*: milliseconds, 60 000 if not given */
  readonly timeoutMs?: number;
  readonly vaultPasswords?: readonly VaultPassword[];
  /** where answers of programs and plugins are kept, and for how long */
  readonly cache?: CacheOptions;
  /** what files with a key `plugin` may name; with none of them such files are left out */
  readonly plugins?: ReadonlyMap<string, InventoryPlugin>;
};

/** Makes an inventory from the settings of a file with a key `plugin`: `data` is the JSON of a dynamic inventory. `span`: the plugin's name in the file. */
export type InventoryPlugin = (
  settings: Readonly<Record<string, unknown>>,
  span: Span,
) => Promise<{readonly data: unknown; readonly problems: readonly Diagnostic[]}>;

/** An inventory and everything that is wrong with its sources; with an error among the problems it is not complete. */
export type LoadedInventory = {readonly inventory: Inventory; readonly problems: readonly Diagnostic[]};

/** Endings of files in an inventory folder that are no inventories. *source*: Ansible's INVENTORY_IGNORE_EXTS. */
const ignoredEnding = /(?:\.(?:pyc|pyo|swp|bak|rpm|md|txt|rst|orig|cfg|retry)|~)$/;
const ignoredName = /^(?:\..*|host_vars|group_vars|vars_plugins|node_modules)$/;

/** Loads and merges inventory sources, each a path or a list of hosts (`web1,web2` or `web1,`); later ones win. */
export async function loadInventory(sources: readonly string[], options: InventoryOptions): Promise<LoadedInventory> {
  const loader = new Loader(options);
  for (const source of sources) await loader.source(source);
  await loader.plugins();
  loader.inventory.settle();
  for (const name of loader.inventory.groupNames()) {
    const host = loader.inventory.host(name);
    const span = loader.inventory.group(name)?.span ?? host?.span;
    if (host === undefined) continue;
    loader.problems.push({
      severity: 'warning',
      code: 'same-name',
      message: `${name} is a host and a group`,
      ...(span && {span}),
      help: 'patterns and variables cannot tell them apart: rename one',
    });
  }
  return {inventory: loader.inventory, problems: loader.problems};
}

class Loader {
  readonly inventory = new Inventory();
  readonly problems: Diagnostic[] = [];
  readonly #options: InventoryOptions;
  readonly #plugins: MapNode[] = [];
  #lists = 0;

  constructor(options: InventoryOptions) {
    this.#options = options;
  }

  async source(given: string): Promise<void> {
    const path = resolve(this.#options.cwd, given);
    const kind = kindOf(path);
    if (kind === undefined) {
      if (given.includes(',')) this.#list(given);
      else {
        const help = /[\\/.]/.test(given) ? undefined : `a list of hosts needs a comma: "${given},"`;
        this.problems.push(error('no-inventory', `there is no inventory ${given}`, help === undefined ? {} : {help}));
      }
      return;
    }
    this.inventory.folders.push({source: path, folder: kind === 'folder' ? path : dirname(path)});
    await this.#path(path, kind);
  }

  /** Plugins come last: they may ask hosts that the other sources name. */
  async plugins(): Promise<void> {
    const {plugins} = this.#options;
    if (plugins === undefined || plugins.size === 0) return;
    for (const node of this.#plugins) {
      const named = child(node, 'plugin') ?? node;
      const {span} = named;
      const name = textOf(named) ?? '';
      const plugin = plugins.get(name.split('.').at(-1) ?? name);
      if (plugin === undefined) {
        const near = nearestName(name, plugins.keys());
        const help = near === undefined ? `there is ${[...plugins.keys()].join(', ')}` : `did you mean ${near}?`;
        this.problems.push(error('unknown-plugin', `there is no inventory plugin ${name}`, {span, help}));
        continue;
      }
      const settings = Object.fromEntries(
        node.entries.map(({key, value}): [string, unknown] => [key, value.kind === 'scalar' ? value.value : undefined]),
      );
      const {cache: seconds, ...rest} = settings;
      const {cache, cwd} = this.#options;
      const keep = cache && {...cache, seconds: typeof seconds === 'number' ? seconds : cache.seconds};
      let found: unknown;
      const answer = await cachedAnswer(resolve(cwd, span.source.path), JSON.stringify(rest), keep, async () => {
        const {data, problems} = await plugin(rest, span);
        this.problems.push(...problems);
        found = data;
        // an answer without some of the hosts is not kept
        return data === undefined || problems.length > 0 ? undefined : JSON.stringify(data);
      });
      const data: unknown = answer === undefined ? found : JSON.parse(answer);
      if (data === undefined) continue;
      const {readDynamic} = await import('./inventory-dynamic.ts');
      this.problems.push(...readDynamic(this.inventory, nodeOf(data, span), span.source.path));
    }
  }

  async #path(path: string, kind: 'file' | 'folder'): Promise<void> {
    if (kind === 'file') {
      await this.#file(path);
      return;
    }
    for (const name of readdirSync(path).sort()) {
      if (ignoredName.test(name) || ignoredEnding.test(name)) continue;
      const inside = join(path, name);
      const insideKind = kindOf(inside);
      if (insideKind !== undefined) await this.#path(inside, insideKind);
    }
  }

  #list(given: string): void {
    this.#lists++;
    const source: Source = {path: this.#lists === 1 ? '<--inventory>' : `<--inventory #${this.#lists}>`, text: given};
    for (const match of given.matchAll(/(?:[^,[]|\[[^\]]*\])+/g)) {
      const name = match[0].trim();
      if (name === '') continue;
      const start = match.index + match[0].indexOf(name);
      const span = {source, start, end: start + name.length};
      const expanded = expandHosts(name, span);
      if (!expanded.ok) {
        this.problems.push(...expanded.problems);
        continue;
      }
      for (const host of expanded.value.names) {
        this.inventory.addHost(host, {span});
        this.inventory.addToGroup('ungrouped', host);
        if (expanded.value.port !== undefined)
          this.inventory.setHostVariable(host, portVariable(expanded.value.port, span));
      }
    }
  }

  async #file(path: string): Promise<void> {
    const shown = shownPath(this.#options.cwd, path);
    const {cwd, env = {}, timeoutMs = 60_000, cache} = this.#options;
    const how = {timeoutMs, env, cwd, ...(cache && {cache})};
    const ending = extname(path).toLowerCase();
    if (/^\.(?:[cm]?ts|mjs|cjs|js)$/.test(ending)) {
      const {readModuleInventory} = await import('./inventory-dynamic.ts');
      this.problems.push(...(await readModuleInventory(this.inventory, path, shown, how)));
      return;
    }
    const data = ['.yml', '.yaml', '.json', '.ini', '.toml'].includes(ending);
    let bytes: Buffer;
    try {
      if (!data && isExecutable(path)) {
        const {readProgramInventory} = await import('./inventory-dynamic.ts');
        this.problems.push(...(await readProgramInventory(this.inventory, path, shown, how)));
        return;
      }
      bytes = readFileSync(path);
    } catch (cause) {
      this.problems.push(error('no-inventory', `${shown} cannot be read: ${(cause as Error).message}`));
      return;
    }
    const raw: Source = {path: shown, text: bytes.toString('utf8')};
    const opened = isVault(raw.text)
      ? openVault(raw, this.#options.vaultPasswords ?? [])
      : {ok: true as const, value: raw};
    if (!opened.ok) {
      this.problems.push(...opened.problems);
      return;
    }
    this.#text(opened.value, ending);
  }

  #text(source: Source, ending: string): void {
    const span = {source, start: 0, end: 0};
    if (ending === '.toml') {
      this.problems.push(
        error('bad-inventory', `${source.path}: inventories in TOML are not read`, {
          span,
          help: 'write it as YAML or INI',
        }),
      );
    } else if (source.text.startsWith('#!')) {
      this.problems.push(
        error('bad-inventory', `${source.path} is a program, but not executable`, {
          span,
          help: `chmod +x ${source.path}`,
        }),
      );
    } else if (['.yml', '.yaml', '.json'].includes(ending) || (ending !== '.ini' && looksLikeYaml(source.text))) {
      const {node, problems} = parseYaml(source);
      this.problems.push(...problems);
      if (node?.kind === 'map' && textOf(child(node, 'plugin')) !== undefined && this.#options.plugins !== undefined)
        this.#plugins.push(node);
      else this.problems.push(...readYamlInventory(this.inventory, node, source.path));
    } else this.problems.push(...readIniInventory(this.inventory, source));
  }
}

/** Whether a file without a telling name is YAML: its first line with text is a key, a document start or a brace. */
function looksLikeYaml(text: string): boolean {
  const first = /^(?!\s*(?:[#;]|$)).*$/m.exec(text)?.[0] ?? '';
  return /^(?:---|\{)/.test(first) || /^(?:"[^"]*"|'[^']*'|[\w.-]+)\s*:\s*(?:#.*|\{.*|null|~)?$/.test(first);
}

function kindOf(path: string): 'file' | 'folder' | undefined {
  try {
    return statSync(path).isDirectory() ? 'folder' : 'file';
  } catch {
    return undefined;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A path as people gave it: relative to the folder they work in where it lies below that. */
export function shownPath(cwd: string, path: string): string {
  const short = relative(cwd, path);
  return short === '' || short.startsWith('..') || isAbsolute(short) ? path : short;
}
