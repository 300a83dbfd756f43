// Thousands of hosts, few differences: a task is evaluated once for each combination of values that it can see, not once for each host.
import type {Node} from './node.ts';
import type {Play} from './program.ts';
import type {RunVariables} from './scope-layers.ts';

/** Variables whose value is another one on every host. */
const perHost = new Set([
  'inventory_hostname',
  'inventory_hostname_short',
  'ansible_host',
  'hostvars',
  'vars',
  'group_names',
  'lookup',
  'query',
  'q',
]);

/** *units*: hosts; a task that sees another value on every host is evaluated for this many of them. */
const mostHosts = 40;

const namesOfNode = new WeakMap<Node, readonly string[]>();

/** All words in a value's templates that may be names of variables; with `all`, in all of its texts (conditions have no braces). */
function wordsIn(node: Node, all: boolean): readonly string[] {
  if (node.kind === 'scalar') {
    if (typeof node.value !== 'string' || !(all || node.value.includes('{{') || node.value.includes('{%'))) return [];
    return node.value.match(/[A-Za-z_]\w*/g) ?? [];
  }
  const known = all ? undefined : namesOfNode.get(node);
  if (known !== undefined) return known;
  const inner = node.kind === 'list' ? node.items : node.entries.map((entry) => entry.value);
  const words = [...new Set(inner.flatMap((each) => wordsIn(each, all)))];
  if (!all) namesOfNode.set(node, words);
  return words;
}

/** Chooses hosts for tasks of one play. */
export class Representatives {
  readonly #hosts: readonly string[];
  readonly #run: RunVariables;
  readonly #play: Play;
  readonly #ids = new WeakMap<Node, number>();
  #nextId = 1;

  constructor(hosts: readonly string[], run: RunVariables, play: Play) {
    this.#hosts = hosts;
    this.#run = run;
    this.#play = play;
  }

  /** Hosts that stand for all: `values` are the task's values with templates, `conditions` its conditions, `layers` the variables of what surrounds it. */
  for(
    values: readonly Node[],
    conditions: readonly Node[],
    layers: readonly ReadonlyMap<string, Node>[],
  ): readonly string[] {
    if (this.#hosts.length <= 1) return this.#hosts;
    const start = [
      ...values.flatMap((node) => wordsIn(node, false)),
      ...conditions.flatMap((node) => wordsIn(node, true)),
    ];
    const chosen = new Map<string, string>();
    for (const host of this.#hosts) {
      const key = this.#key(host, start, layers);
      if (!chosen.has(key)) chosen.set(key, host);
      if (chosen.size >= mostHosts) break;
    }
    return [...chosen.values()];
  }

  #key(host: string, start: readonly string[], layers: readonly ReadonlyMap<string, Node>[]): string {
    const {origins} = this.#run.inventoryVariables.of(host, this.#play.folder);
    const seen = new Set<string>();
    const parts: string[] = [];
    const waiting = [...start];
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      if (seen.has(name)) continue;
      seen.add(name);
      if (perHost.has(name)) parts.push(name === 'group_names' ? this.#run.inventory.groupsOf(host).join() : host);
      for (const values of [...layers, this.#play.vars]) {
        const node = values.get(name);
        if (node !== undefined) waiting.push(...wordsIn(node, false));
      }
      const own = origins.get(name)?.[0].variable.value;
      if (own !== undefined) {
        parts.push(`${name}=${this.#id(own)}`);
        waiting.push(...wordsIn(own, false));
      }
    }
    return parts.sort().join(' ');
  }

  /** Equal constants count as one value though they stand in different places. */
  #id(node: Node): string {
    if (node.kind === 'scalar' && (typeof node.value !== 'object' || node.value === null))
      return `${typeof node.value}:${String(node.value)}`;
    let id = this.#ids.get(node);
    if (id === undefined) this.#ids.set(node, (id = this.#nextId++));
    return `#${id}`;
  }
}
