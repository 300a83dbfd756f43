// The kinds of values that Jinja knows and JavaScript does not. Everything else is plain: string, Secret, boolean, null,
// array, object (own properties only), number (an integer when it is a safe integer, else a float), bigint (a large integer).
import type {Unknown} from '../base/unknown.ts';
import type {TemplateProblem} from './fault.ts';

/** A float whose value is a whole number (`4 / 2` is `2.0`); other floats are plain numbers. */
export class Float {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }

  toJSON(): number {
    return this.value;
  }
}

/** A number as a Python float. */
export function float(value: number): number | Float {
  return Number.isSafeInteger(value) ? new Float(value) : value;
}

/** A Python tuple: a list that prints with parentheses and is never changed. */
export class Tuple extends Array<unknown> {
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  static from_(elements: readonly unknown[]): Tuple {
    const tuple = new Tuple();
    for (const element of elements) tuple.push(element);
    return tuple;
  }
}

/** A tuple whose elements also have names (what `groupby` and `urlsplit` give). */
export class NamedTuple extends Tuple {
  names: readonly string[] = [];

  static of_(names: readonly string[], elements: readonly unknown[]): NamedTuple {
    const tuple = new NamedTuple();
    for (const element of elements) tuple.push(element);
    tuple.names = names;
    return tuple;
  }
}

/** What `range()` gives: a list that prints as a call. */
export class RangeList extends Array<unknown> {
  text = 'range(0, 0)';

  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }
}

/**
 * A variable or attribute that nothing defines. Only `is defined`, `default` and their like may touch it; every other use
 * raises the problem it carries. A resolver gives one for a variable whose own template uses something undefined.
 */
export class Undefined {
  readonly #problem: () => TemplateProblem;
  /** What an inline `if` without `else` gives: undefined for tests and `default`, but it prints as nothing. */
  readonly blank: boolean;

  constructor(problem: () => TemplateProblem, blank = false) {
    this.#problem = problem;
    this.blank = blank;
  }

  get problem(): TemplateProblem {
    return this.#problem();
  }
}

/** Named arguments of a call. */
export type Named = ReadonlyMap<string, unknown>;

/** Something that can be called from a template. No JavaScript function can be reached in any other way. */
export class Func {
  readonly name: string;
  readonly call: (args: readonly unknown[], named: Named) => unknown;
  /** Takes Secret and Unknown arguments as they are, instead of having them spread over its result. */
  readonly raw: boolean;
  /** What can be read from it with a dot. */
  readonly attributes: ReadonlyMap<string, unknown>;

  constructor(
    name: string,
    call: (args: readonly unknown[], named: Named) => unknown,
    options: {raw?: boolean; attributes?: ReadonlyMap<string, unknown>} = {},
  ) {
    this.name = name;
    this.call = call;
    this.raw = options.raw ?? false;
    this.attributes = options.attributes ?? new Map<string, unknown>();
  }
}

/** A value with attributes that is neither list nor mapping: `namespace()`, `loop`, an imported template, a date. */
export abstract class Thing {
  abstract readonly kind: string;
  /** The attribute, or undefined. */
  abstract attribute(name: string): unknown;
  abstract attributeNames(): Iterable<string>;
  abstract text(): string;
  /** The plain form that leaves the engine; undefined if there is none. */
  plain(): unknown {
    return this.text();
  }
}

/** What `namespace()` gives: the one thing whose attributes `{% set ns.x = … %}` may change. */
export class Namespace extends Thing {
  readonly kind = 'namespace';
  readonly values: Map<string, unknown>;

  constructor(values: Iterable<readonly [string, unknown]>) {
    super();
    this.values = new Map(values);
  }

  attribute(name: string): unknown {
    return this.values.get(name);
  }

  attributeNames(): Iterable<string> {
    return this.values.keys();
  }

  text(): string {
    return '<Namespace>';
  }

  override plain(): unknown {
    return Object.fromEntries(this.values);
  }
}

/** Thrown where a decision hangs on something unknown; the operation around it then gives that Unknown. */
export class Waits extends Error {
  readonly unknown: Unknown;

  constructor(unknown: Unknown) {
    super(unknown.cause);
    this.unknown = unknown;
  }
}

/** Runs `body`; where it hangs on something unknown the answer is that Unknown. */
export function spreading(body: () => unknown): unknown {
  try {
    return body();
  } catch (cause) {
    if (cause instanceof Waits) return cause.unknown;
    throw cause;
  }
}
