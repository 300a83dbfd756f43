// Python's numbers: integers without limit (here: up to 4096 bits), floats, `//` and `%` rounding towards minus infinity.
import {Misuse} from './fault.ts';
import {Float, float} from './values.ts';

/** An integer: a safe number, else a bigint. */
export type Int = number | bigint;

const MAX_BITS = 4096;

/** Whether a value is a Python int (booleans are not counted here). */
export function isInt(value: unknown): value is Int {
  return typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value));
}

export function isFloat(value: unknown): value is number | Float {
  return value instanceof Float || (typeof value === 'number' && !Number.isSafeInteger(value));
}

/** Whether a value takes part in arithmetic (True is 1). */
export function isNumeric(value: unknown): value is Int | Float | boolean {
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean' || value instanceof Float;
}

/** The value as a JavaScript number. */
export function toNumber(value: Int | Float | boolean): number {
  return value instanceof Float ? value.value : Number(value);
}

/** The smallest form of an integer. */
export function int(value: bigint): Int {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

function exact(value: Int | boolean): bigint {
  return BigInt(value);
}

function bounded(value: bigint): Int {
  if (value > 1n << BigInt(MAX_BITS) || value < -(1n << BigInt(MAX_BITS)))
    throw new Misuse(`the number has more than ${MAX_BITS} bits`, 'template-budget');
  return int(value);
}

/** A whole JavaScript number (perhaps large) as an integer. */
export function integerOf(value: number): Int {
  if (!Number.isFinite(value)) throw new Misuse(`cannot convert ${String(value)} to an integer`);
  const whole = Math.trunc(value);
  return Number.isSafeInteger(whole) ? whole + 0 || 0 : BigInt(whole);
}

export type Operator = '+' | '-' | '*' | '/' | '//' | '%' | '**';

function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient;
}

function power(base: Int | boolean, exponent: Int | boolean): Int | number | Float {
  if (Number(exponent) < 0) {
    if (Number(base) === 0) throw new Misuse('0 cannot be raised to a negative power', 'division-by-zero');
    return float(Number(base) ** Number(exponent));
  }
  const magnitude = Math.abs(Number(base));
  if (magnitude > 1 && Math.log2(magnitude) * Number(exponent) > MAX_BITS + 1)
    throw new Misuse(`the number has more than ${MAX_BITS} bits`, 'template-budget');
  return bounded(exact(base) ** exact(exponent));
}

/** The whole part of a quotient, exact where `a / b` itself is rounded up to the next integer. */
function floorQuotient(a: number, b: number): number {
  if (!Number.isFinite(a) || !Number.isFinite(b)) return Math.floor(a / b);
  const rest = a % b;
  const quotient = (a - rest) / b - (rest !== 0 && rest < 0 !== b < 0 ? 1 : 0);
  if (quotient === 0) return a / b < 0 || Object.is(a / b, -0) ? -0 : 0;
  const whole = Math.floor(quotient);
  return quotient - whole > 0.5 ? whole + 1 : whole;
}

function ofFloats(operator: Operator, a: number, b: number): number | Float {
  switch (operator) {
    case '+':
      return float(a + b);
    case '-':
      return float(a - b);
    case '*':
      return float(a * b);
    case '/':
      if (b === 0) throw new Misuse('division by zero', 'division-by-zero');
      return float(a / b);
    case '//':
      if (b === 0) throw new Misuse('division by zero', 'division-by-zero');
      return float(floorQuotient(a, b));
    case '%': {
      if (b === 0) throw new Misuse('division by zero', 'division-by-zero');
      const rest = a % b;
      if (rest === 0) return float(b < 0 ? -0 : 0);
      return float(rest < 0 !== b < 0 ? rest + b : rest);
    }
    case '**':
      return float(a ** b);
  }
}

/** Arithmetic on two numbers as Python does it. */
export function arithmetic(operator: Operator, left: Int | Float | boolean, right: Int | Float | boolean): Int | Float {
  if (isFloat(left) || isFloat(right)) return ofFloats(operator, toNumber(left), toNumber(right));
  const a = left as Int | boolean;
  const b = right as Int | boolean;
  switch (operator) {
    case '+': {
      const sum = Number(a) + Number(b);
      return Number.isSafeInteger(sum) ? sum : bounded(exact(a) + exact(b));
    }
    case '-': {
      const difference = Number(a) - Number(b);
      return Number.isSafeInteger(difference) ? difference : bounded(exact(a) - exact(b));
    }
    case '*': {
      const product = Number(a) * Number(b);
      return Number.isSafeInteger(product) ? product + 0 : bounded(exact(a) * exact(b));
    }
    case '/':
      return ofFloats('/', Number(a), Number(b));
    case '//':
      if (Number(b) === 0) throw new Misuse('division by zero', 'division-by-zero');
      return int(floorDivide(exact(a), exact(b)));
    case '%':
      if (Number(b) === 0) throw new Misuse('division by zero', 'division-by-zero');
      return int(exact(a) - floorDivide(exact(a), exact(b)) * exact(b));
    case '**':
      return power(a, b);
  }
}

/** A float as Python prints it: shortest digits, `1.0`, `1e+16`, `1e-05`, `inf`. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const [digits = '', power10 = '0'] = value.toExponential().split('e');
  const exponent = Number(power10);
  if (exponent < -4 || exponent >= 16) {
    const size = String(Math.abs(exponent)).padStart(2, '0');
    return `${digits}e${exponent < 0 ? '-' : '+'}${size}`;
  }
  const text = String(value);
  if (!text.includes('e')) return text.includes('.') ? text : `${text}.0`;
  return value.toFixed(digits.replace(/^-?\d\.?/, '').length - exponent);
}

/** Rounds half to even at `digits` decimal places, as Python's `round` does (exactly, on the binary value). */
export function roundEven(value: number, digits: number): number {
  if (!Number.isFinite(value) || digits > 300) return value;
  if (digits < 0) {
    const unit = 10 ** -digits;
    const quotient = value / unit;
    const low = Math.floor(quotient);
    const rest = quotient - low;
    return (rest > 0.5 || (rest === 0.5 && low % 2 !== 0) ? low + 1 : low) * unit;
  }
  // toFixed works on the exact binary value but rounds ties away from zero; ties exist only where few bits follow the point.
  const scaled = value * 10 ** digits;
  if (digits <= 20 && Math.abs(scaled % 1) === 0.5 && scaled / 10 ** digits === value && isTie(value, digits)) {
    const low = Math.floor(scaled);
    return (low % 2 === 0 ? low : low + 1) / 10 ** digits;
  }
  return digits <= 100 ? Number(value.toFixed(digits)) : value;
}

function isTie(value: number, digits: number): boolean {
  const text = Math.abs(value).toFixed(Math.min(100, digits + 60));
  const rest = text.slice(text.indexOf('.') + 1 + digits);
  return /^50*$/.test(rest);
}
