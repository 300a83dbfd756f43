// Arguments of lookups come as Ansible's users write them: texts, `name=value` words within one text, yes and no.
import {Secret} from '../base/secret.ts';
import {isMapping, entriesOf} from '../template/mapping.ts';
import {Misuse} from '../template/fault.ts';
import {Float} from '../template/values.ts';
import type {Options} from './lookup-site.ts';

/** The text of an argument. *errors*: Misuse where it is a list or a mapping. */
export function textOf(value: unknown, what: string): string {
  if (typeof value === 'string') return value;
  if (value instanceof Secret) return value.reveal();
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (value instanceof Float) return value.value.toFixed(1);
  throw new Misuse(`${what} must be a text`, 'lookup-argument');
}

/** A named argument as text. */
export function textOption(options: Options, name: string, fallback: string): string {
  const value = options.get(name);
  return value === undefined || value === null ? fallback : textOf(value, name);
}

/** A named argument as a yes or no. */
export function flagOption(options: Options, name: string, fallback: boolean): boolean {
  const value = options.get(name);
  if (value === undefined || value === null) return fallback;
  if (typeof value === 'boolean') return value;
  return /^(?:yes|true|on|1|y|t)$/i.test(textOf(value, name));
}

/** Elements of the terms, lists among them opened one level. */
export function flattenedOnce(terms: readonly unknown[]): unknown[] {
  return terms.flatMap((term) => (Array.isArray(term) ? Array.from<unknown>(term) : [term]));
}

/** A term like `key file=users.csv delimiter=,`: the words without `=`, and the others by name. Named arguments of the call fill what the term leaves open. */
export function splitTerm(term: unknown, options: Options): {raw: string; options: Map<string, unknown>} {
  const merged = new Map(options);
  const raw: string[] = [];
  for (const word of textOf(term, 'the argument').match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? []) {
    const named = /^(\w+)=([^]*)$/.exec(word);
    if (named?.[1] === undefined || named[2] === undefined) raw.push(word);
    else merged.set(named[1], named[2].replace(/^(["'])([^]*)\1$/, '$2'));
  }
  return {raw: raw.join(' '), options: merged};
}

/** A list of texts: a list, or one text cut at commas, semicolons and (for folders) colons. */
export function textList(value: unknown, separators: RegExp): string[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((element: unknown) => textList(element, separators));
  return textOf(value, 'the list')
    .split(separators)
    .map((piece) => piece.trim())
    .filter((piece) => piece !== '');
}

/** The entries of a mapping as `{key, value}`, as `dict2items` gives them. */
export function itemsOf(value: unknown): {key: unknown; value: unknown}[] {
  if (!isMapping(value)) throw new Misuse('a mapping is expected', 'lookup-argument');
  return entriesOf(value).map(([key, element]) => ({key, value: element}));
}
