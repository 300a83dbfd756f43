// Python's `pprint.pformat` for nested lists and mappings: one line if it fits in 80 columns.
import {order} from './compare.ts';
import {entriesOf, isMapping} from './mapping.ts';
import {repr} from './print.ts';
import {Tuple} from './values.ts';

const WIDTH = 80;

function one(value: unknown): string {
  if (isMapping(value))
    return `{${sorted(value)
      .map(([key, element]) => `${one(key)}: ${one(element)}`)
      .join(', ')}}`;
  if (Array.isArray(value) && value.length > 0 && !(value instanceof Tuple)) return `[${value.map(one).join(', ')}]`;
  return String(repr(value));
}

function sorted(value: Parameters<typeof entriesOf>[0]): [unknown, unknown][] {
  const entries = entriesOf(value);
  try {
    return entries.sort(([a], [b]) => order(a, b));
  } catch {
    return entries;
  }
}

/** `column`: where the text begins; `after`: how many characters must still fit behind it. */
function format(value: unknown, column: number, after: number): string {
  const line = one(value);
  if (line.length <= WIDTH - column - after) return line;
  const pad = ',\n' + ' '.repeat(column + 1);
  if (isMapping(value)) {
    const entries = sorted(value);
    return `{${entries
      .map(([key, element], i) => {
        const name = one(key);
        return `${name}: ${format(element, column + 1 + name.length + 2, i === entries.length - 1 ? after + 1 : 1)}`;
      })
      .join(pad)}}`;
  }
  if (Array.isArray(value) && value.length > 0) {
    const [open, close] = value instanceof Tuple ? ['(', value.length === 1 ? ',)' : ')'] : ['[', ']'];
    return (
      open +
      value
        .map((element, i) => format(element, column + 1, i === value.length - 1 ? after + close.length : 1))
        .join(pad) +
      close
    );
  }
  return line;
}

/** The value as `pprint` shows it. */
export function pretty(value: unknown): string {
  return format(value, 0, 0);
}
