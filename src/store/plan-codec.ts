// Data of the engine as JSON and back: secrets with their ranges, bytes, unknowns, and what templates know besides. What is long and may come again (a file's
// content, a script) is kept once in a table, because a plan for many hosts says the same thing many times.
import {isMapping} from '../base/json.ts';
import {Secret} from '../base/secret.ts';
import {Unknown} from '../base/unknown.ts';
import {Float, NamedTuple, Tuple} from '../template/values.ts';

/** Texts from this length on stand in the table. *units*: UTF-16 units. */
const longText = 80;

/** What {@link PlanWriter} made: data, and the texts and bytes that it refers to. */
export type Packed = {readonly data: unknown; readonly texts: readonly string[]; readonly blobs: readonly string[]};

/** A value that has no form in a file (a function, a module's own class). */
export class NotKeepable extends Error {
  override readonly name = 'NotKeepable';
}

/** Encodes several values into one table. */
export class PlanWriter {
  readonly #texts = new Map<string, number>();
  readonly #blobs = new Map<string, number>();

  /** The value as JSON. *errors*: throws NotKeepable. */
  pack(value: unknown): unknown {
    if (value === null || typeof value === 'boolean') return value;
    switch (typeof value) {
      case 'string':
        return value.length < longText ? value : {$t: index(this.#texts, value)};
      case 'number':
        return Number.isFinite(value) ? value : {$number: String(value)};
      case 'bigint':
        return {$int: String(value)};
      case 'undefined':
        return {$none: true};
      default:
        return this.#object(value);
    }
  }

  /** The values with their tables. */
  finish(data: unknown): Packed {
    return {data, texts: [...this.#texts.keys()], blobs: [...this.#blobs.keys()]};
  }

  #object(value: unknown): unknown {
    if (value instanceof Secret)
      return {$secret: value.parts().map(({text, secret}) => [secret ? 1 : 0, this.pack(text)])};
    if (value instanceof Unknown) return {$unknown: value.cause};
    if (value instanceof Uint8Array) return {$b: index(this.#blobs, Buffer.from(value).toString('base64'))};
    if (value instanceof Float) return {$float: value.value};
    if (value instanceof Date) return {$date: value.toISOString()};
    if (value instanceof NamedTuple) return {$tuple: value.map((one) => this.pack(one)), names: value.names};
    if (value instanceof Tuple) return {$tuple: value.map((one) => this.pack(one))};
    if (Array.isArray(value)) return value.map((one) => this.pack(one));
    if (value instanceof Map) return {$map: [...value].map(([key, one]) => [this.pack(key), this.pack(one)])};
    if (value instanceof Set) return {$set: [...value].map((one) => this.pack(one))};
    if (!isMapping(value))
      throw new NotKeepable(`a value of ${typeof value === 'object' ? 'an own class' : typeof value}`);
    const entries = Object.entries(value).filter(([, one]) => one !== undefined);
    if (entries.some(([key]) => key.startsWith('$') || key === '__proto__'))
      return {$object: entries.map(([key, one]) => [key, this.pack(one)])};
    return Object.fromEntries(entries.map(([key, one]) => [key, this.pack(one)]));
  }
}

/** The value that was packed. *errors*: throws on data that no PlanWriter made. */
export function unpack(data: unknown, tables: Pick<Packed, 'texts' | 'blobs'>): unknown {
  const again = (one: unknown): unknown => unpack(one, tables);
  if (data === null || typeof data !== 'object') return data;
  if (Array.isArray(data)) return data.map(again);
  const [first] = Object.entries(data);
  if (first?.[0].startsWith('$') !== true)
    return Object.fromEntries(Object.entries(data).map(([key, one]) => [key, again(one)]));
  const [tag, held] = first as [string, unknown];
  switch (tag) {
    case '$t':
      return at(tables.texts, held);
    case '$b':
      return new Uint8Array(Buffer.from(at(tables.blobs, held), 'base64'));
    case '$number':
      return Number(held);
    case '$int':
      return BigInt(held as string);
    case '$none':
      return undefined;
    case '$secret': {
      const pieces = (held as readonly (readonly [number, unknown])[]).map(([isSecret, text]) =>
        isSecret === 1 ? Secret.of(again(text) as string) : (again(text) as string),
      );
      // an empty secret is one all the same
      return pieces.length === 0 ? Secret.of('') : Secret.join(pieces);
    }
    case '$unknown':
      return new Unknown(held as string);
    case '$float':
      return new Float(held as number);
    case '$date':
      return new Date(held as string);
    case '$tuple': {
      const elements = (held as readonly unknown[]).map(again);
      const {names} = data as {names?: readonly string[]};
      return names === undefined ? Tuple.from_(elements) : NamedTuple.of_(names, elements);
    }
    case '$map':
      return new Map((held as readonly (readonly [unknown, unknown])[]).map(([key, one]) => [again(key), again(one)]));
    case '$set':
      return new Set((held as readonly unknown[]).map(again));
    case '$object':
      return Object.fromEntries(
        (held as readonly (readonly [string, unknown])[]).map(([key, one]) => [key, again(one)]),
      );
    default:
      throw new Error(`a plan holds ${tag}, which this version does not know`);
  }
}

function index(table: Map<string, number>, text: string): number {
  const known = table.get(text);
  if (known !== undefined) return known;
  table.set(text, table.size);
  return table.size - 1;
}

function at(table: readonly string[], place: unknown): string {
  const text = table[place as number];
  if (text === undefined) throw new Error('a plan refers to a text that it does not hold');
  return text;
}
