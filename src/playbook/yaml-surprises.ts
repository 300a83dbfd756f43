// What YAML makes of an unquoted value of a variable, where that is likely not what was meant. A variable declares no type, so these are warnings;
// in a file with many of them only the first of each kind is shown.
import {warning} from '../base/diagnostic.ts';
import type {Diagnostic} from '../base/diagnostic.ts';
import type {Node, ScalarNode} from './node.ts';
import {isFloatText} from './yaml-core.ts';

type Found = {readonly first: Diagnostic; more: number};

/** Collects the surprises of a site's variables. */
export class YamlSurprises {
  readonly #found = new Map<string, Found>();
  readonly #seen = new WeakSet<Node>();

  /** Looks at the value of a variable, whatever is in it. `key`: its name. */
  look(key: string, node: Node): void {
    if (this.#seen.has(node)) return;
    this.#seen.add(node);
    if (node.kind === 'list') for (const item of node.items) this.look('-', item);
    else if (node.kind === 'map') for (const entry of node.entries) this.look(entry.key, entry.value);
    else this.#add(surpriseOf(key, node));
  }

  /** One warning for each kind and file. */
  problems(): readonly Diagnostic[] {
    return [...this.#found.values()].map(({first, more}) =>
      more === 0
        ? first
        : {...first, help: `${first.help ?? ''}\n(and ${String(more)} more of this kind in this file)`.trimStart()},
    );
  }

  #add(problem: Diagnostic | undefined): void {
    if (problem === undefined) return;
    const kind = `${problem.code} ${problem.span?.source.path ?? ''}`;
    const known = this.#found.get(kind);
    if (known === undefined) this.#found.set(kind, {first: problem, more: 0});
    else known.more++;
  }
}

const words: Readonly<Record<string, boolean>> = {yes: true, on: true, no: false, off: false};

function surpriseOf(key: string, node: ScalarNode): Diagnostic | undefined {
  const {raw, span, value} = node;
  if (node.style !== 'plain' || node.tag !== undefined || span.source.secret === true) return undefined;
  const write = (text: string): string => (key === '-' ? `- ${text}` : `${key}: ${text}`);
  if (typeof value === 'string') {
    const truth = Object.hasOwn(words, raw.toLowerCase()) ? words[raw.toLowerCase()] : undefined;
    if (truth === undefined) return undefined;
    return warning('yaml-boolean', `this is the text "${raw}", not a boolean`, {
      span,
      note: `YAML 1.1 (Ansible) reads this as ${String(truth)}, YAML 1.2 as a text`,
      help: `${write(String(truth))}   or   ${write(`"${raw}"`)}`,
    });
  }
  if (typeof value !== 'number') return undefined;
  if (/^[-+]?0[0-7]+$/.test(raw))
    return warning('yaml-octal', 'a number with a leading zero', {
      span,
      note: `YAML reads this as the number ${String(value)}, Ansible's YAML as ${String(Number.parseInt(raw, 8))}`,
      help: write(`"${raw}"`),
    });
  return losesDigits(node)
    ? warning('yaml-number', `this number would be written as ${String(value)}`, {span, help: write(`"${raw}"`)})
    : undefined;
}

/** `1.10`, `1e3`, and whole numbers that are too long to be exact; not `1.0`, which stays a float. */
function losesDigits({raw, value}: ScalarNode): boolean {
  if (typeof value !== 'number' || !Number.isFinite(value)) return false;
  if (/^[-+]?\d+$/.test(raw)) return !Number.isSafeInteger(value);
  if (/e/i.test(raw)) return isFloatText(raw);
  return /^\d+\.\d*0$/.test(raw) && !/^\d+\.0$/.test(raw);
}
