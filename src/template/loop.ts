// The `loop` variable of `{% for %}`.
import {equal} from './compare.ts';
import {Misuse} from './fault.ts';
import {Func, Thing, Undefined} from './values.ts';

const NAMES = [
  ...['index', 'index0', 'revindex', 'revindex0', 'first', 'last', 'length', 'depth', 'depth0', 'previtem', 'nextitem'],
  ...['cycle', 'changed'],
];

/** The state of one loop; calling it goes through children with the same body. */
export class Loop extends Thing {
  readonly kind = 'LoopContext';
  readonly #elements: readonly unknown[];
  readonly #depth: number;
  readonly #recurse: (children: unknown) => unknown;
  #at = 0;
  #last: readonly unknown[] | undefined;

  constructor(elements: readonly unknown[], depth: number, recurse: (children: unknown) => unknown) {
    super();
    this.#elements = elements;
    this.#depth = depth;
    this.#recurse = recurse;
  }

  advance(): void {
    this.#at++;
  }

  #element(offset: number): unknown {
    const value = this.#elements[this.#at + offset];
    if (value !== undefined) return value;
    return new Undefined(() => ({
      code: 'undefined-value',
      message: offset < 0 ? 'there is no previous item' : 'there is no next item',
      start: 0,
      end: 0,
    }));
  }

  attribute(name: string): unknown {
    const count = this.#elements.length;
    switch (name) {
      case 'index':
        return this.#at + 1;
      case 'index0':
        return this.#at;
      case 'revindex':
        return count - this.#at;
      case 'revindex0':
        return count - this.#at - 1;
      case 'first':
        return this.#at === 0;
      case 'last':
        return this.#at === count - 1;
      case 'length':
        return count;
      case 'depth':
        return this.#depth;
      case 'depth0':
        return this.#depth - 1;
      case 'previtem':
        return this.#element(-1);
      case 'nextitem':
        return this.#element(1);
      case 'cycle':
        return new Func(
          name,
          (args) => {
            if (args.length === 0) throw new Misuse('no items for cycling given');
            return args[this.#at % args.length];
          },
          {raw: true},
        );
      case 'changed':
        return new Func(
          name,
          (args) => {
            const same = this.#last?.length === args.length && this.#last.every((value, i) => equal(value, args[i]));
            this.#last = args;
            return !same;
          },
          {raw: true},
        );
      case '__call__':
        return new Func('loop', (args) => this.#recurse(args[0]), {raw: true});
      default:
        return undefined;
    }
  }

  attributeNames(): Iterable<string> {
    return NAMES;
  }

  text(): string {
    return `<LoopContext ${this.#at + 1}/${this.#elements.length}>`;
  }
}
