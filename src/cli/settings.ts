import {readFileSync, statSync} from 'node:fs';
import {dirname, isAbsolute, join, resolve} from 'node:path';
import {isMapping} from '../base/json.ts';
import {nearestName} from '../base/nearest.ts';
import {warning, error, type Diagnostic} from '../base/diagnostic.ts';
import {parseYaml} from '../playbook/yaml.ts';
import type {MapNode, Node} from '../playbook/node.ts';

/** Everything that may stand in `tsplay.yml`; paths are absolute here. */
export type Settings = {
  readonly inventory?: readonly string[];
  readonly known_hosts?: readonly string[];
  readonly private_key?: string;
  readonly state_dir?: string;
  readonly vault_password_file?: readonly string[];
  readonly modules_path?: readonly string[];
  readonly roles_path?: readonly string[];
  readonly remote_user?: string;
  readonly forks?: number;
  readonly timeout?: number;
  /** what the history keeps: so many runs, days, MiB */
  readonly history_runs?: number;
  readonly history_days?: number;
  readonly history_mib?: number;
  /** seconds to wait for a host that another run works on */
  readonly lock_timeout?: number;
  /** seconds that the answers of inventories which are programs count */
  readonly inventory_cache?: number;
  /** where run and check leave their numbers for node-exporter */
  readonly metrics_file?: string;
};

const paths = new Set([
  'inventory',
  'known_hosts',
  'private_key',
  'state_dir',
  'vault_password_file',
  'modules_path',
  'roles_path',
  'metrics_file',
]);
const numbers = new Set([
  'forks',
  'timeout',
  'history_runs',
  'history_days',
  'history_mib',
  'lock_timeout',
  'inventory_cache',
]);
const lists = new Set(['inventory', 'known_hosts', 'vault_password_file', 'modules_path', 'roles_path']);
const names = [
  'inventory',
  'known_hosts',
  'private_key',
  'state_dir',
  'vault_password_file',
  'modules_path',
  'roles_path',
  'remote_user',
  ...numbers,
  'metrics_file',
];

/**
 * The settings that count: `TSPLAY_*` of the environment over `tsplay.yml` of the site over the user's `config.yml`. A `tsplay.yml` that others may write
 * is ignored with a warning, since it could name a program.
 */
export function readSettings(
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
): {settings: Settings; problems: readonly Diagnostic[]} {
  const problems: Diagnostic[] = [];
  const home = env['HOME'] ?? '/';
  const own = join(env['XDG_CONFIG_HOME'] ?? join(home, '.config'), 'tsplay', 'config.yml');
  const merged: Record<string, unknown> = {
    ...readFile(own, home, problems),
    ...readFile(join(cwd, 'tsplay.yml'), home, problems),
  };
  for (const name of names) {
    const value = env[`TSPLAY_${name.toUpperCase()}`] ?? (name === 'state_dir' ? env['TSPLAY_STATE'] : undefined);
    if (value !== undefined && value !== '') merged[name] = convert(name, value, cwd, home);
  }
  return {settings: merged, problems};
}

function readFile(path: string, home: string, problems: Diagnostic[]): Record<string, unknown> {
  let text: string;
  try {
    const {mode, uid} = statSync(path);
    if ((mode & 0o002) !== 0 || (uid !== 0 && uid !== process.getuid?.())) {
      problems.push(
        warning('unsafe-settings', `${path} is ignored: others than you may write it`, {
          help: `chmod o-w ${path}, and own it`,
        }),
      );
      return {};
    }
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return {};
    problems.push(error('bad-settings', `${path} cannot be read: ${(cause as Error).message}`));
    return {};
  }
  const source = {path, text};
  const parsed = parseYaml(source);
  problems.push(...parsed.problems);
  if (parsed.node === undefined || (parsed.node.kind === 'scalar' && parsed.node.value === null)) return {};
  if (parsed.node.kind !== 'map') {
    problems.push(error('bad-settings', 'settings are a mapping', {span: parsed.node.span}));
    return {};
  }
  return fromMap(parsed.node, dirname(path), home, problems);
}

function fromMap(map: MapNode, folder: string, home: string, problems: Diagnostic[]): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  for (const {key, keySpan, value} of map.entries) {
    if (!names.includes(key)) {
      const near = nearestName(key, names);
      problems.push(
        error('unknown-key', `no setting "${key}"`, {
          span: keySpan,
          help: near === undefined ? `there are ${names.join(', ')}` : `did you mean "${near}"?`,
        }),
      );
      continue;
    }
    const plain = plainOf(value);
    const isFine = numbers.has(key)
      ? typeof plain === 'number' && (plain > 0 || (key === 'lock_timeout' && plain === 0))
      : typeof plain === 'string' || (lists.has(key) && Array.isArray(plain));
    if (!isFine) problems.push(error('bad-value', `${key}: not a fitting value`, {span: value.span}));
    else settings[key] = convert(key, plain, folder, home);
  }
  return settings;
}

function plainOf(node: Node): unknown {
  if (node.kind === 'scalar') return isMapping(node.value) ? undefined : node.value;
  return node.kind === 'list' ? node.items.map(plainOf) : undefined;
}

function convert(name: string, value: unknown, folder: string, home: string): unknown {
  if (numbers.has(name)) return Number(value);
  const given: readonly unknown[] = Array.isArray(value) ? value : [value];
  const absolute = given.map((one) => (paths.has(name) ? absolutePath(String(one), folder, home) : String(one)));
  return lists.has(name) ? absolute : absolute[0];
}

/** Lists of hosts (`a,b`) and vault ids (`dev@file`) are no plain paths. */
function absolutePath(text: string, folder: string, home: string): string {
  if (text.includes(',')) return text;
  const expanded = text.startsWith('~/') ? join(home, text.slice(2)) : text;
  return isAbsolute(expanded) ? expanded : resolve(folder, expanded);
}
