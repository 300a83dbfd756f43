// Expressions as closures over a scope. Nothing is ever generated as program text.
import {Unknown} from '../base/unknown.ts';
import type {Argument, Comparison, Expression} from './ast.ts';
import {readAttribute, readItem, readSlice} from './attribute.ts';
import {contains, elementsOf, equal, known, order, truth} from './compare.ts';
import type {Verdict} from './environment.ts';
import {Fault, located, Misuse, withPlace, type Range} from './fault.ts';
import {entriesOf, isMapping, mappingOf} from './mapping.ts';
import {concatenated, operate, signed} from './operate.ts';
import type {Scope} from './run.ts';
import {applyTest, callFilter, callValue} from './site.ts';
import {Tuple, Undefined, Waits} from './values.ts';

/** An expression, ready to be evaluated. */
export type Evaluate = (scope: Scope) => unknown;
/** An expression as a condition. */
export type Decide = (scope: Scope) => Verdict;

/** Gives the mistakes of `body` a place and turns Waits into their Unknown. */
function guarded(range: Range, body: () => unknown): unknown {
  try {
    return body();
  } catch (cause) {
    if (cause instanceof Waits) return cause.unknown;
    throw withPlace(cause, range);
  }
}

function verdict(range: Range, value: unknown): Verdict {
  if (typeof value === 'boolean') return value;
  return guarded(range, () => truth(value)) as Verdict;
}

/** Whether an expression can give nothing but a boolean, so that what is known of its truth is known of its value. */
function isBoolean(expression: Expression): boolean {
  switch (expression.node) {
    case 'constant':
      return typeof expression.value === 'boolean';
    case 'and':
    case 'or':
      return isBoolean(expression.left) && isBoolean(expression.right);
    default:
      return expression.node === 'not' || expression.node === 'compare' || expression.node === 'test';
  }
}

/** Compiles an expression to a condition: unknown sides of `and` and `or` do not matter where the other side decides. */
export function compileCondition(expression: Expression): Decide {
  if (expression.node === 'not') {
    const operand = compileCondition(expression.operand);
    return (scope) => {
      const answer = operand(scope);
      return answer instanceof Unknown ? answer : !answer;
    };
  }
  if (expression.node === 'and' || expression.node === 'or') {
    const left = compileCondition(expression.left);
    const right = compileCondition(expression.right);
    const decisive = expression.node === 'or';
    return (scope) => {
      const first = left(scope);
      if (first === decisive) return first;
      if (!(first instanceof Unknown)) return right(scope);
      try {
        return right(scope) === decisive ? decisive : first;
      } catch (cause) {
        // What is wrong on the right may be guarded by the unknown left side.
        if (cause instanceof Fault) return first;
        throw cause;
      }
    };
  }
  const value = compileExpression(expression);
  return (scope) => verdict(expression, value(scope));
}

type Call = (scope: Scope) => {args: unknown[]; named: Map<string, unknown>};

function compileArguments(list: readonly Argument[]): Call {
  const compiled = list.map((argument) => ({argument, value: compileExpression(argument.value)}));
  const simple = list.every((argument) => argument.name === undefined && argument.spread === undefined);
  const none = new Map<string, unknown>();
  if (simple) return (scope) => ({args: compiled.map(({value}) => value(scope)), named: none});
  return (scope) => {
    const args: unknown[] = [];
    const named = new Map<string, unknown>();
    for (const {argument, value: evaluate} of compiled) {
      const value = evaluate(scope);
      if (argument.spread === '*') args.push(...located(argument.value, () => elementsOf(value)));
      else if (argument.spread === '**') {
        known(value);
        if (!isMapping(value))
          throw withPlace(new Misuse('only a mapping can follow **', 'template-type'), argument.value);
        for (const [key, element] of entriesOf(value)) named.set(String(key), element);
      } else if (argument.name !== undefined) named.set(argument.name, value);
      else args.push(value);
    }
    return {args, named};
  };
}

function compareOnce(operator: Comparison, left: unknown, right: unknown): boolean {
  switch (operator) {
    case '==':
      return equal(left, right);
    case '!=':
      return !equal(left, right);
    case '<':
      return order(left, right, '<') < 0;
    case '<=':
      return order(left, right, '<=') <= 0;
    case '>':
      return order(left, right, '>') > 0;
    case '>=':
      return order(left, right, '>=') >= 0;
    case 'in':
      return contains(right, left);
    case 'not in':
      return !contains(right, left);
  }
}

function compileCompare(expression: Extract<Expression, {node: 'compare'}>): Evaluate {
  const first = compileExpression(expression.first);
  const rest = expression.rest.map(({operator, value}) => ({operator, value: compileExpression(value)}));
  return (scope) => {
    let left = first(scope);
    let answer: unknown = true;
    for (const {operator, value} of rest) {
      const right = value(scope);
      answer = guarded(expression, () => compareOnce(operator, left, right));
      if (answer !== true) return answer;
      left = right;
    }
    return answer;
  };
}

/**
 * `is defined` asks about the name, not the value: a variable whose value is unknown is defined, but whether an unknown
 * value has an attribute is unknown.
 */
function compileDefined(expression: Extract<Expression, {node: 'test'}>, wanted: boolean): Evaluate {
  const {input} = expression;
  const object = input.node === 'attribute' || input.node === 'item' ? compileExpression(input.object) : undefined;
  const value = compileExpression(input);
  return (scope) => {
    const answer = value(scope);
    if (answer instanceof Unknown && object !== undefined) {
      const holder = object(scope);
      if (holder instanceof Unknown) return holder;
    }
    return answer instanceof Undefined !== wanted;
  };
}

function compileTest(expression: Extract<Expression, {node: 'test'}>): Evaluate {
  const name = expression.name.replace(/^ansible\.builtin\./, '');
  if (name === 'defined') return compileDefined(expression, !expression.negated);
  if (name === 'undefined') return compileDefined(expression, expression.negated);
  const value = compileExpression(expression.input);
  const call = compileArguments(expression.args);
  return (scope) => {
    const input = value(scope);
    const {args, named} = call(scope);
    const answer = applyTest(scope.run, expression, expression.name, input, args, named);
    return answer instanceof Unknown ? answer : answer !== expression.negated;
  };
}

/** A filter with its arguments; `input` gives the value where the filter has none of its own. */
export function compileFilter(expression: Expression, input: Evaluate): Evaluate {
  if (expression.node !== 'filter') throw new Error('not a filter');
  const inner = expression.input;
  const own =
    inner === undefined ? input : inner.node === 'filter' ? compileFilter(inner, input) : compileExpression(inner);
  const call = compileArguments(expression.args);
  const {name, nameAt} = expression;
  return (scope) => {
    const value = own(scope);
    const {args, named} = call(scope);
    return callFilter(scope.run, expression, nameAt, name, value, args, named);
  };
}

function nothing(): never {
  throw new Error('a filter without a value');
}

/** Compiles an expression. */
export function compileExpression(expression: Expression): Evaluate {
  switch (expression.node) {
    case 'constant': {
      const {value} = expression;
      return () => value;
    }
    case 'name': {
      const {name} = expression;
      return (scope) => scope.get(name, expression);
    }
    case 'list': {
      const elements = expression.elements.map(compileExpression);
      return (scope) => {
        const list = elements.map((element) => element(scope));
        scope.run.owned.add(list);
        return list;
      };
    }
    case 'tuple': {
      const elements = expression.elements.map(compileExpression);
      return (scope) => Tuple.from_(elements.map((element) => element(scope)));
    }
    case 'concat': {
      const elements = expression.elements.map(compileExpression);
      return (scope) => {
        const values = elements.map((element) => element(scope));
        return guarded(expression, () => concatenated(values));
      };
    }
    case 'dict': {
      const entries = expression.entries.map(
        ([key, value]) => [compileExpression(key), compileExpression(value)] as const,
      );
      return (scope) =>
        guarded(expression, () => {
          const dict = mappingOf(entries.map(([key, value]) => [keyOf(key(scope)), value(scope)] as const));
          scope.run.owned.add(dict);
          return dict;
        });
    }
    case 'operate': {
      const left = compileExpression(expression.left);
      const right = compileExpression(expression.right);
      return (scope) => {
        const a = left(scope);
        const b = right(scope);
        return guarded(expression, () => operate(expression.operator, a, b));
      };
    }
    case 'sign': {
      const operand = compileExpression(expression.operand);
      return (scope) => guarded(expression, () => signed(expression.operator, operand(scope)));
    }
    case 'not':
      return compileCondition(expression);
    case 'and':
    case 'or': {
      if (isBoolean(expression)) return compileCondition(expression);
      const left = compileExpression(expression.left);
      const right = compileExpression(expression.right);
      const decisive = expression.node === 'or';
      return (scope) => {
        const first = left(scope);
        const answer = verdict(expression.left, first);
        if (answer instanceof Unknown) return answer;
        return answer === decisive ? first : right(scope);
      };
    }
    case 'compare':
      return compileCompare(expression);
    case 'if': {
      const test = compileCondition(expression.test);
      const yes = compileExpression(expression.yes);
      const no = expression.no && compileExpression(expression.no);
      return (scope) => {
        const answer = test(scope);
        if (answer instanceof Unknown) return answer;
        if (answer) return yes(scope);
        return no === undefined ? new Undefined(() => noElse(expression), true) : no(scope);
      };
    }
    case 'attribute': {
      const object = compileExpression(expression.object);
      const {name, nameAt} = expression;
      return (scope) => readAttribute(scope.run, object(scope), name, nameAt);
    }
    case 'item': {
      const object = compileExpression(expression.object);
      const key = compileExpression(expression.key);
      return (scope) => {
        const holder = object(scope);
        const wanted = key(scope);
        return guarded(expression, () => readItem(scope.run, holder, wanted, expression));
      };
    }
    case 'slice': {
      const object = compileExpression(expression.object);
      const [from, to, step] = [expression.from, expression.to, expression.step].map(
        (bound) => bound && compileExpression(bound),
      );
      return (scope) => guarded(expression, () => readSlice(object(scope), from?.(scope), to?.(scope), step?.(scope)));
    }
    case 'call': {
      const callee = compileExpression(expression.callee);
      const call = compileArguments(expression.args);
      return (scope) => {
        const func = callee(scope);
        const {args, named} = call(scope);
        return callValue(scope.run, expression, func, args, named);
      };
    }
    case 'filter':
      return compileFilter(expression, nothing);
    case 'test':
      return compileTest(expression);
  }
}

function keyOf(value: unknown): unknown {
  known(value);
  if (Array.isArray(value) && !(value instanceof Tuple)) throw new Misuse("unhashable type: 'list'", 'template-type');
  if (isMapping(value)) throw new Misuse("unhashable type: 'dict'", 'template-type');
  return value;
}

function noElse(range: Range): Fault['problem'] {
  const message = 'the condition is false and there is no "else"';
  return {code: 'undefined-value', message, start: range.start, end: range.end, help: "write ... if ... else ''"};
}
