// JSON as Python's json module reads and writes it.
import {order, textOf} from './compare.ts';
import {Misuse} from './fault.ts';
import {entriesOf, isMapping} from './mapping.ts';
import {floatText, int} from './number.ts';
import {typeName} from './print.ts';
import {Float, float, Thing} from './values.ts';

export type JsonStyle = {
  /** spaces per level; undefined: all on one line */
  readonly indent: number | undefined;
  readonly sortKeys: boolean;
  readonly ascii: boolean;
  readonly separators: readonly [item: string, key: string];
};

export const COMPACT: JsonStyle = {indent: undefined, sortKeys: false, ascii: true, separators: [', ', ': ']};

function jsonText(text: string, ascii: boolean): string {
  const quoted = JSON.stringify(text).replaceAll('\u007f', ascii ? '\\u007f' : '\u007f');
  const plain = quoted.replaceAll('\\u007f', '\u007f');
  if (!ascii) return plain;
  return plain.replaceAll(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function realText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  return floatText(value);
}

function keyText(key: unknown): string {
  const text = textOf(key);
  if (text !== undefined) return text;
  if (key === null) return 'null';
  if (typeof key === 'boolean') return String(key);
  if (typeof key === 'number' || typeof key === 'bigint' || key instanceof Float) return write(key, COMPACT, '');
  throw new Misuse(`keys must be str, int, float, bool or None, not ${typeName(key)}`, 'template-type');
}

function write(value: unknown, style: JsonStyle, pad: string): string {
  const text = textOf(value);
  if (text !== undefined) return jsonText(text, style.ascii);
  if (value === null || value === true || value === false) return String(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : realText(value);
  if (value instanceof Float) return realText(value.value);
  const inner = style.indent === undefined ? '' : pad + ' '.repeat(style.indent);
  const [itemMark, keyMark] = style.separators;
  const join = (parts: string[], open: string, close: string): string => {
    if (parts.length === 0) return open + close;
    if (style.indent === undefined) return open + parts.join(itemMark) + close;
    return `${open}\n${inner}${parts.join(`${itemMark.trimEnd()}\n${inner}`)}\n${pad}${close}`;
  };
  if (Array.isArray(value))
    return join(
      value.map((element) => write(element, style, inner)),
      '[',
      ']',
    );
  if (isMapping(value)) {
    const entries = entriesOf(value);
    if (style.sortKeys) entries.sort(([a], [b]) => order(a, b));
    return join(
      entries.map(([key, element]) => jsonText(keyText(key), style.ascii) + keyMark + write(element, style, inner)),
      '{',
      '}',
    );
  }
  if (value instanceof Thing) return write(value.plain(), style, pad);
  throw new Misuse(`Object of type ${typeName(value)} is not JSON serializable`, 'template-type');
}

/** `json.dumps`. *errors*: Misuse. */
export function toJson(value: unknown, style: JsonStyle): string {
  return write(value, style, '');
}

/** `json.loads`: floats stay floats, integers keep all their digits. *errors*: Misuse. */
export function fromJson(text: string): unknown {
  const revive = (_key: string, value: unknown, context?: {source?: string}): unknown => {
    if (typeof value !== 'number' || context?.source === undefined) return value;
    return /[.eE]/.test(context.source) ? float(value) : int(BigInt(context.source));
  };
  try {
    return JSON.parse(text, revive) as unknown;
  } catch (cause) {
    throw new Misuse(`this is not JSON: ${cause instanceof Error ? cause.message : ''}`, 'bad-json');
  }
}
