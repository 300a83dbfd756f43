// Inventories that are programs: an executable that answers `--list` with JSON, or a TypeScript/JavaScript file whose default export gives the same.
import {spawn} from 'node:child_process';
import {pathToFileURL} from 'node:url';
import {error} from '../base/diagnostic.ts';
import type {Diagnostic, Source, Span} from '../base/diagnostic.ts';
import {bad, ok} from '../base/result.ts';
import type {Result} from '../base/result.ts';
import {cachedAnswer} from './inventory-cache.ts';
import type {CacheOptions} from './inventory-cache.ts';
import {expandHosts} from './host-range.ts';
import type {Inventory} from './inventory.ts';
import {portVariable, readYamlInventory} from './inventory-yaml.ts';
import {nodeOf} from './data-node.ts';
import {child} from './node.ts';
import type {Entry, Node} from './node.ts';
import {parseYaml} from './yaml.ts';

/** *units*: `timeoutMs` for one call of the program. */
export type ProgramOptions = {
  readonly timeoutMs: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly cache?: CacheOptions;
};

const maxOutputBytes = 256 * 1024 * 1024;
const hostCallsAtOnce = 8;

/** Runs an executable inventory and reads what it says. `path` is what to start, `shown` how the user knows it. */
export async function readProgramInventory(
  inventory: Inventory,
  path: string,
  shown: string,
  options: ProgramOptions,
): Promise<readonly Diagnostic[]> {
  const listed = await runJson(path, shown, ['--list'], options);
  if (!listed.ok) return listed.problems;
  const root = listed.value;
  const problems = [...readDynamic(inventory, root, shown)];
  if (child(child(root, '_meta'), 'hostvars') !== undefined) return problems;
  const hosts = [...inventory.hostNames()].filter((name) => inventory.host(name)?.inventoryFile === shown);
  const ask = async (): Promise<void> => {
    for (let host = hosts.shift(); host !== undefined; host = hosts.shift()) {
      const answer = await runJson(path, shown, ['--host', host], options);
      if (answer.ok) setVariables(inventory, host, answer.value);
      else problems.push(...answer.problems);
    }
  };
  await Promise.all(Array.from({length: hostCallsAtOnce}, ask));
  return problems;
}

/** Calls the default export of a TypeScript or JavaScript file and reads what it gives: the JSON of a dynamic inventory, or the form of a YAML inventory. */
export async function readModuleInventory(
  inventory: Inventory,
  path: string,
  shown: string,
  options: ProgramOptions,
): Promise<readonly Diagnostic[]> {
  const source: Source = {path: shown, text: ''};
  const span = {source, start: 0, end: 0};
  let timer: NodeJS.Timeout | undefined;
  try {
    let value: unknown;
    const kept = await cachedAnswer(path, '', options.cache, async () => {
      const loaded = (await import(pathToFileURL(path).href)) as {default?: unknown};
      const exported = loaded.default;
      if (exported === undefined) throw new NoExport();
      const expired = new Promise<never>((_, reject) => {
        timer = setTimeout(
          () => reject(new Error(`no answer within ${String(options.timeoutMs / 1000)} s`)),
          options.timeoutMs,
        );
      });
      value =
        typeof exported === 'function'
          ? await Promise.race([(exported as (o: unknown) => unknown)({cwd: options.cwd, env: options.env}), expired])
          : exported;
      return isPlain(value) ? JSON.stringify(value) : undefined;
    });
    if (value === undefined && kept !== undefined) value = JSON.parse(kept);
    const root = nodeOf(value, span);
    if (root.kind !== 'map') return [error('bad-inventory', `${shown} gives no mapping of groups`, {span})];
    return isDynamicForm(root) ? readDynamic(inventory, root, shown) : readYamlInventory(inventory, root, shown);
  } catch (cause) {
    if (cause instanceof NoExport)
      return [
        error('bad-inventory', `${shown} has no default export`, {
          span,
          help: 'export default async function () { return {all: {hosts: {…}}}; }',
        }),
      ];
    const message = cause instanceof Error ? cause.message : String(cause);
    return [error('inventory-failed', `${shown} failed: ${message}`, {span})];
  } finally {
    clearTimeout(timer);
  }
}

class NoExport extends Error {}

/** Whether JSON says all of a value; secrets and dates, for two, are more than that, and are asked for anew. */
function isPlain(value: unknown): boolean {
  if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return true;
  if (Array.isArray(value)) return value.every(isPlain);
  const isObject = typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype;
  return isObject && Object.values(value).every(isPlain);
}

function isDynamicForm(root: Node): boolean {
  return (
    root.kind === 'map' &&
    root.entries.some(
      ({key, value}) => key === '_meta' || value.kind === 'list' || child(value, 'hosts')?.kind === 'list',
    )
  );
}

/** Reads the JSON of a dynamic inventory: groups with hosts, vars and children, and `_meta.hostvars`. */
export function readDynamic(inventory: Inventory, root: Node, file: string): Diagnostic[] {
  const problems: Diagnostic[] = [];
  if (root.kind !== 'map') return [error('bad-inventory', 'the answer must be a mapping of groups', {span: root.span})];
  const groups = root.entries.filter(({key}) => key !== '_meta');
  for (const entry of groups) inventory.addGroup(entry.key, entry.keySpan);
  for (const entry of groups) readGroup(inventory, entry, file, problems);
  const hostvars = child(child(root, '_meta'), 'hostvars');
  if (hostvars?.kind === 'map') for (const {key, value} of hostvars.entries) setVariables(inventory, key, value);
  return problems;
}

function readGroup(inventory: Inventory, {key: name, value}: Entry, file: string, problems: Diagnostic[]): void {
  const hosts = value.kind === 'list' ? value : child(value, 'hosts');
  for (const host of hosts?.kind === 'list' ? hosts.items : []) {
    const text = textOf(host);
    const expanded = expandHosts(text, host.span);
    if (!expanded.ok) {
      problems.push(...expanded.problems);
      continue;
    }
    for (const each of expanded.value.names) {
      inventory.addHost(each, {span: host.span, inventoryFile: file});
      inventory.addToGroup(name, each);
      if (expanded.value.port !== undefined)
        inventory.setHostVariable(each, portVariable(expanded.value.port, host.span));
    }
  }
  const variables = child(value, 'vars');
  if (variables?.kind === 'map') {
    for (const {key, keySpan, value: given} of variables.entries)
      inventory.setGroupVariable(name, {name: key, nameSpan: keySpan, value: given});
  }
  const children = child(value, 'children');
  for (const below of children?.kind === 'list' ? children.items : []) {
    inventory.addGroup(textOf(below), below.span);
    const cycle = inventory.addChild(name, textOf(below), below.span);
    if (cycle !== undefined) problems.push(cycle);
  }
}

function textOf(node: Node): string {
  return node.kind === 'scalar' ? (typeof node.value === 'string' ? node.value : node.raw) : '';
}

function setVariables(inventory: Inventory, host: string, node: Node): void {
  if (node.kind !== 'map') return;
  for (const {key, keySpan, value} of node.entries)
    inventory.setHostVariable(host, {name: key, nameSpan: keySpan, value});
}

/** Runs the program and reads its JSON. *errors*: `inventory-failed` with the end of stderr, `bad-inventory` for what is no JSON. */
async function runJson(
  path: string,
  shown: string,
  args: readonly string[],
  options: ProgramOptions,
): Promise<Result<Node>> {
  const source: Source = {path: shown, text: ''};
  const span: Span = {source, start: 0, end: 0};
  const called = `${shown} ${args.join(' ')}`;
  let outcome: Outcome = {stdout: '', stderr: ''};
  const stdout = await cachedAnswer(path, args.join(' '), options.cache, async () => {
    outcome = await run(path, args, options);
    return outcome.problem === undefined && isJson(outcome.stdout) ? outcome.stdout : undefined;
  });
  if (stdout !== undefined) outcome = {stdout, stderr: ''};
  if (outcome.problem !== undefined) {
    const tail = outcome.stderr.trim().split('\n').slice(-5).join('\n');
    return bad(error('inventory-failed', `${called} ${outcome.problem}`, {span, ...(tail === '' ? {} : {help: tail})}));
  }
  try {
    JSON.parse(outcome.stdout);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    return bad(error('bad-inventory', `${called} answered with something that is no JSON: ${message}`, {span}));
  }
  const parsed = parseYaml({path: `${shown} (${args[0] ?? ''})`, text: outcome.stdout});
  const hard = parsed.problems.find((problem) => problem.severity === 'error' && problem.code !== 'duplicate-key');
  if (parsed.node === undefined || hard !== undefined) return ok(nodeOf(JSON.parse(outcome.stdout), span));
  return ok(parsed.node);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

type Outcome = {readonly stdout: string; readonly stderr: string; readonly problem?: string};

function run(path: string, args: readonly string[], {timeoutMs, env, cwd}: ProgramOptions): Promise<Outcome> {
  return new Promise((resolve) => {
    const out: Buffer[] = [];
    let stderr = '';
    let size = 0;
    let problem: string | undefined;
    const program = spawn(path, [...args], {cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true});
    const stop = (why: string): void => {
      problem ??= why;
      try {
        if (program.pid !== undefined) process.kill(-program.pid, 'SIGKILL');
      } catch {
        program.kill('SIGKILL');
      }
    };
    const timer = setTimeout(() => stop(`gave no answer within ${String(timeoutMs / 1000)} s`), timeoutMs);
    program.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxOutputBytes) stop('answers with more than 256 MiB');
      else out.push(chunk);
    });
    program.stderr.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString('utf8')).slice(-8192);
    });
    const done = (why: string | undefined): void => {
      clearTimeout(timer);
      const failed = problem ?? why;
      resolve({
        stdout: Buffer.concat(out).toString('utf8'),
        stderr,
        ...(failed === undefined ? {} : {problem: failed}),
      });
    };
    program.on('error', (cause: NodeJS.ErrnoException) => {
      const noAccess = cause.code === 'EACCES' ? 'is not executable (chmod +x)' : `cannot be started: ${cause.message}`;
      done(cause.code === 'ENOENT' ? 'cannot be started: the interpreter in its first line does not exist' : noAccess);
    });
    program.on('close', (code, signal) =>
      done(
        code === 0
          ? undefined
          : code === null
            ? `was ended by ${signal ?? 'a signal'}`
            : `ended with exit code ${String(code)}`,
      ),
    );
  });
}
