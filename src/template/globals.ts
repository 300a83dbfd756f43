// The functions that every template has.
import {DateTime} from './date.ts';
import {isFlagged} from './boolean.ts';
import type {Environment} from './environment.ts';
import {Misuse} from './fault.ts';
import {mappingOf} from './mapping.ts';
import {pairsOf} from './method-dict.ts';
import {isInt} from './number.ts';
import {boundedList} from './operate.ts';
import {strftime} from './date.ts';
import {Func, Namespace, RangeList, Thing} from './values.ts';

function range(args: readonly unknown[]): RangeList {
  const numbers = args.map((arg) => {
    if (!isInt(arg) && typeof arg !== 'boolean')
      throw new Misuse('range() needs integers', 'template-type', 'turn text into a number with | int');
    return Number(arg);
  });
  if (numbers.length < 1 || numbers.length > 3) throw new Misuse('range() takes 1 to 3 numbers', 'bad-argument');
  const [start = 0, stop = 0, step = 1] = numbers.length === 1 ? [0, ...numbers] : numbers;
  if (step === 0) throw new Misuse('the step of range() must not be 0', 'bad-argument');
  const count = Math.max(0, Math.ceil((stop - start) / step));
  boundedList(count);
  const list = new RangeList();
  for (let i = 0; i < count; i++) list.push(start + i * step);
  list.text = `range(${[start, stop, ...(step === 1 ? [] : [step])].join(', ')})`;
  return list;
}

function now(environment: () => Environment): Func {
  return new Func('now', (args, named) => {
    const moment = environment().now?.();
    if (moment === undefined) throw new Misuse('there is no clock here', 'not-available');
    const utc = isFlagged(args[0] ?? named.get('utc'));
    const format = args[1] ?? named.get('fmt');
    const offset = utc ? 0 : -moment.getTimezoneOffset();
    const local = moment.getTime() + offset * 60_000;
    return typeof format === 'string'
      ? strftime(format, new Date(local), offset, utc ? 'UTC' : '')
      : new DateTime(local);
  });
}

/** Goes through its values, one per call of next(). */
class Cycler extends Thing {
  readonly kind = 'Cycler';
  readonly #items: readonly unknown[];
  #at = 0;

  constructor(items: readonly unknown[]) {
    super();
    this.#items = items;
  }

  attribute(name: string): unknown {
    if (name === 'current') return this.#items[this.#at];
    if (name === 'next') return new Func(name, () => this.#next(), {raw: true});
    return name === 'reset' ? new Func(name, () => this.#reset(), {raw: true}) : undefined;
  }

  #next(): unknown {
    const item = this.#items[this.#at];
    this.#at = (this.#at + 1) % this.#items.length;
    return item;
  }

  #reset(): null {
    this.#at = 0;
    return null;
  }

  attributeNames(): Iterable<string> {
    return ['current', 'next', 'reset'];
  }

  text(): string {
    return '<Cycler>';
  }
}

function joiner(args: readonly unknown[]): Func {
  let used = false;
  return new Func('joiner', () => {
    const mark = used ? (args[0] ?? ', ') : '';
    used = true;
    return mark;
  });
}

/** `environment` gives the environment that these functions will be part of. */
export function standardGlobals(environment: () => Environment): readonly (readonly [string, unknown])[] {
  return [
    ['range', new Func('range', range)],
    [
      'dict',
      new Func('dict', (args, named) => mappingOf([...(args[0] === undefined ? [] : pairsOf(args[0])), ...named]), {
        raw: true,
      }),
    ],
    [
      'namespace',
      new Func(
        'namespace',
        (args, named) =>
          new Namespace([
            ...(args[0] === undefined ? [] : pairsOf(args[0]).map(([key, value]) => [String(key), value] as const)),
            ...named,
          ]),
        {raw: true},
      ),
    ],
    [
      'cycler',
      new Func(
        'cycler',
        (args) => {
          if (args.length === 0) throw new Misuse('cycler() needs at least one value', 'bad-argument');
          return new Cycler(args);
        },
        {raw: true},
      ),
    ],
    ['joiner', new Func('joiner', joiner)],
    ['now', now(environment)],
    ['undef', new Func('undef', (args, named) => refuse(args[0] ?? named.get('hint')))],
  ];
}

function refuse(hint: unknown): never {
  throw new Misuse(
    typeof hint === 'string' ? hint : 'mandatory variable has not been overridden',
    'undefined-variable',
  );
}
