// The operators of expressions on values of any kind.
import {Secret, reveal} from '../base/secret.ts';
import {known, textOf} from './compare.ts';
import {Misuse} from './fault.ts';
import {arithmetic, isInt, isNumeric, type Operator} from './number.ts';
import {formatPercent} from './format.ts';
import {str, typeName} from './print.ts';
import {discreet, hasSecret, opened} from './secrecy.ts';
import {Func, Thing, Tuple} from './values.ts';

/** *units*: characters of one text and elements of one list that a template may make. */
export const MAX_TEXT = 1 << 24;
export const MAX_LIST = 1_000_000;

/** Refuses a text that would become larger than {@link MAX_TEXT}. */
export function boundedText(size: number): void {
  if (size > MAX_TEXT)
    throw new Misuse(`the text would have ${String(size)} characters; the limit is ${MAX_TEXT}`, 'template-budget');
}

/** Refuses a list that would become larger than {@link MAX_LIST}. */
export function boundedList(size: number): void {
  if (size > MAX_LIST)
    throw new Misuse(`the list would have ${String(size)} elements; the limit is ${MAX_LIST}`, 'template-budget');
}

function repeated(value: unknown, times: unknown): unknown {
  const count = Math.max(0, Number(times));
  if (Array.isArray(value)) {
    boundedList(value.length * count);
    const out: unknown[] = [];
    for (let i = 0; i < count; i++) for (const element of value) out.push(element);
    return value instanceof Tuple ? Tuple.from_(out) : out;
  }
  const text = value as string | Secret;
  boundedText(reveal(text).length * count);
  if (typeof text === 'string') return text.repeat(count);
  return Secret.join(Array.from({length: count}, () => text));
}

/** `left operator right`. *errors*: Misuse for types that do not go together, Waits for unknowns. */
export function operate(operator: Operator, left: unknown, right: unknown): unknown {
  known(left);
  if (operator === '%' && textOf(left) !== undefined) {
    if (!hasSecret(left) && !hasSecret(right)) return formatPercent(textOf(left) ?? '', right);
    return Secret.of(discreet('%', () => formatPercent(textOf(left) ?? '', opened(right))));
  }
  known(right);
  if (isNumeric(left) && isNumeric(right)) return arithmetic(operator, left, right);
  if (operator === '+') {
    if (textOf(left) !== undefined && textOf(right) !== undefined) {
      const pieces = [left, right] as (string | Secret)[];
      boundedText(reveal(pieces[0] ?? '').length + reveal(pieces[1] ?? '').length);
      return Secret.join(pieces);
    }
    if (Array.isArray(left) && Array.isArray(right) && left instanceof Tuple === right instanceof Tuple) {
      boundedList(left.length + right.length);
      const joined: unknown[] = [...(left as unknown[]), ...(right as unknown[])];
      return left instanceof Tuple ? Tuple.from_(joined) : joined;
    }
  }
  if (operator === '*') {
    const repeatable = (value: unknown): boolean => textOf(value) !== undefined || Array.isArray(value);
    if (repeatable(left) && (isInt(right) || typeof right === 'boolean')) return repeated(left, right);
    if (repeatable(right) && (isInt(left) || typeof left === 'boolean')) return repeated(right, left);
  }
  if (left instanceof Thing && operator === '-') {
    const minus = left.attribute('__sub__');
    if (minus instanceof Func) return minus.call([right], new Map());
  }
  const mixed = operator === '+' && (textOf(left) !== undefined) !== (textOf(right) !== undefined);
  throw new Misuse(
    `unsupported operand type(s) for ${operator}: '${typeName(left)}' and '${typeName(right)}'`,
    'template-type',
    mixed ? 'join text with ~, or turn text into a number with | int' : undefined,
  );
}

/** `-value`, `+value`. */
export function signed(sign: '-' | '+', value: unknown): unknown {
  known(value);
  if (!isNumeric(value)) throw new Misuse(`bad operand type for unary ${sign}: '${typeName(value)}'`, 'template-type');
  if (sign === '+') return arithmetic('+', 0, value);
  return typeof value === 'number' && Object.is(value, 0) ? 0 : arithmetic('*', value, -1);
}

/** `a ~ b`: both as text. */
export function concatenated(values: readonly unknown[]): string | Secret {
  const pieces = values.map((value) => str(known(value)));
  boundedText(pieces.reduce((size, piece) => size + reveal(piece).length, 0));
  return Secret.join(pieces);
}
