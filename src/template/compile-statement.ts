// Statements as closures that print into an Output.
import {Unknown} from '../base/unknown.ts';
import type {Macro, Statement, Target} from './ast.ts';
import {elementsOf, known} from './compare.ts';
import {compileCondition, compileExpression, compileFilter, type Evaluate} from './compile-expression.ts';
import {located, Misuse, withPlace, type Range} from './fault.ts';
import {Loop} from './loop.ts';
import {macroFunction} from './macro.ts';
import {Output} from './output.ts';
import {Scope} from './run.ts';
import {findTemplate, importTemplate, includeTemplate, type Blocks} from './inherit.ts';
import {Namespace, Undefined, Waits} from './values.ts';

/** Runs statements; `break` and `continue` come back as words. */
export type Execute = (scope: Scope, out: Output) => Leave;

type Leave = 'break' | 'continue' | undefined;

/** A statement that always goes on to the next. */
function onward(act: (scope: Scope, out: Output) => void): Execute {
  return (scope, out) => {
    act(scope, out);
    return undefined;
  };
}

/** Where a name that begins like no identifier keeps the text of a `{% filter %}` block. */
const BLOCK_TEXT = ' text';

/** Compiles a list of statements to one. */
export function compileBody(body: readonly Statement[], blocks: Blocks): Execute {
  const steps = body.map((statement) => compileStatement(statement, blocks));
  const only = steps[0];
  if (only !== undefined && steps.length === 1) return only;
  return (scope, out) => {
    for (const step of steps) {
      const leave = step(scope, out);
      if (leave !== undefined) return leave;
    }
    return undefined;
  };
}

function unpack(target: Extract<Target, {target: 'tuple'}>, value: unknown): readonly unknown[] {
  const elements = elementsOf(value);
  if (elements.length === target.parts.length) return elements;
  throw new Misuse(`${elements.length} values for ${target.parts.length} names`, 'template-type');
}

/** Compiles an assignment. */
function compileTarget(target: Target): (scope: Scope, value: unknown) => void {
  switch (target.target) {
    case 'name':
      return (scope, value) => void scope.names.set(target.name, value);
    case 'namespace':
      return (scope, value) => {
        const holder = known(scope.get(target.name, target));
        if (!(holder instanceof Namespace))
          throw withPlace(new Misuse('only the attributes of a namespace() can be set', 'template-type'), target);
        holder.values.set(target.attribute, value);
      };
    case 'tuple': {
      const parts = target.parts.map(compileTarget);
      return (scope, value) => {
        const elements = located(target, () => unpack(target, value));
        parts.forEach((assign, i) => assign(scope, elements[i]));
      };
    }
  }
}

function wait(answer: unknown): void {
  if (answer instanceof Unknown) throw new Waits(answer);
}

type For = Extract<Statement, {node: 'for'}>;

function compileFor(statement: For, blocks: Blocks): Execute {
  const list = compileExpression(statement.list);
  const assign = compileTarget(statement.target);
  const keep = statement.filter && compileCondition(statement.filter);
  const body = compileBody(statement.body, blocks);
  const otherwise = compileBody(statement.otherwise, blocks);
  const go = (value: unknown, outer: Scope, out: Output, depth: number): ReturnType<Execute> => {
    let elements = located(statement.list, () => elementsOf(value));
    if (keep !== undefined) {
      elements = elements.filter((element) => {
        located(statement, () => outer.run.spend(1));
        const inner = new Scope(outer.run, outer);
        assign(inner, element);
        const answer = keep(inner);
        wait(answer);
        return answer;
      });
    }
    if (elements.length === 0) return otherwise(outer, out);
    const loop = new Loop(elements, depth, (children) =>
      outer.run.nested(() => {
        const nested = new Output();
        go(children, outer, nested, depth + 1);
        return nested.joined();
      }),
    );
    for (const element of elements) {
      located(statement, () => outer.run.spend(1));
      const inner = new Scope(outer.run, outer);
      inner.names.set('loop', loop);
      assign(inner, element);
      if (body(inner, out) === 'break') break;
      loop.advance();
    }
    return undefined;
  };
  return (scope, out) => {
    out.textOnly++;
    const leave = go(list(scope), scope, out, 1);
    out.textOnly--;
    return leave;
  };
}

/** The text that statements print. */
function textOf(body: Execute, scope: Scope): unknown {
  const out = new Output();
  out.textOnly = 1;
  body(new Scope(scope.run, scope), out);
  return out.joined();
}

function compileMacro(macro: Macro, range: Range, blocks: Blocks): (scope: Scope) => unknown {
  const parameters = macro.parameters.map(({name, fallback}) => ({
    name,
    fallback: fallback && compileExpression(fallback),
  }));
  const body = compileBody(macro.body, blocks);
  return (scope) => macroFunction(macro, parameters, body, range, scope);
}

function through(filters: Parameters<typeof compileFilter>[0]): (scope: Scope, text: unknown) => unknown {
  const apply = compileFilter(filters, (scope) => scope.names.get(BLOCK_TEXT));
  return (scope, text) => {
    const inner = new Scope(scope.run, scope);
    inner.names.set(BLOCK_TEXT, text);
    return apply(inner);
  };
}

function compileStatement(statement: Statement, blocks: Blocks): Execute {
  switch (statement.node) {
    case 'text':
      return onward((_scope, out) => out.text(statement.text));
    case 'output': {
      const value = compileExpression(statement.value);
      return onward((scope, out) => {
        const printed = value(scope);
        located(statement, () => out.value(printed));
      });
    }
    case 'for':
      return compileFor(statement, blocks);
    case 'choose': {
      const branches = statement.branches.map(({test, body}) => ({
        test: compileCondition(test),
        body: compileBody(body, blocks),
      }));
      const otherwise = compileBody(statement.otherwise, blocks);
      return (scope, out) => {
        for (const {test, body} of branches) {
          const answer = test(scope);
          wait(answer);
          if (answer === true) return body(scope, out);
        }
        return otherwise(scope, out);
      };
    }
    case 'set': {
      const value = compileExpression(statement.value);
      const assign = compileTarget(statement.target);
      return onward((scope) => assign(scope, value(scope)));
    }
    case 'set-block': {
      const body = compileBody(statement.body, blocks);
      const assign = compileTarget(statement.target);
      const filters = statement.filters && through(statement.filters);
      return (scope) => {
        const text = located(statement, () => textOf(body, scope));
        assign(scope, filters === undefined ? text : filters(scope, text));
        return undefined;
      };
    }
    case 'with': {
      const assigns = statement.assigns.map(({target, value}) => ({
        assign: compileTarget(target),
        value: compileExpression(value),
      }));
      const body = compileBody(statement.body, blocks);
      return (scope, out) => {
        const inner = new Scope(scope.run, scope);
        for (const {assign, value} of assigns) assign(inner, value(scope));
        return body(inner, out);
      };
    }
    case 'macro': {
      const make = compileMacro(statement.macro, statement, blocks);
      return (scope) => void scope.names.set(statement.macro.name, make(scope));
    }
    case 'call-block':
      return compileCallBlock(statement, blocks);
    case 'filter-block': {
      const body = compileBody(statement.body, blocks);
      const apply = through(statement.filters);
      return (scope, out) => {
        const value = apply(
          scope,
          located(statement, () => textOf(body, scope)),
        );
        out.textOnly++;
        out.value(value);
        out.textOnly--;
        return undefined;
      };
    }
    case 'include': {
      const template = compileExpression(statement.template);
      return (scope, out) => {
        out.textOnly++;
        includeTemplate(scope, out, template(scope), statement);
        out.textOnly--;
        return undefined;
      };
    }
    case 'import': {
      const template = compileExpression(statement.template);
      return (scope) => void scope.names.set(statement.name, importTemplate(scope, template(scope), statement));
    }
    case 'from': {
      const template = compileExpression(statement.template);
      return (scope) => {
        const imported = importTemplate(scope, template(scope), statement);
        for (const {name, as, at} of statement.names) {
          const value = imported.attribute(name);
          const message = `the template "${imported.path}" does not export "${name}"`;
          scope.names.set(
            as,
            value ?? new Undefined(() => ({code: 'undefined-variable', message, start: at.start, end: at.end})),
          );
        }
        return undefined;
      };
    }
    case 'do': {
      const value: Evaluate = compileExpression(statement.value);
      return (scope) => void value(scope);
    }
    case 'block':
      blocks.define(statement.name, compileBody(statement.body, blocks));
      return onward((scope, out) => blocks.print(statement.name, scope, out));
    case 'extends': {
      const template = compileExpression(statement.template);
      return (scope) => {
        const name = template(scope);
        blocks.extend(located(statement, () => findTemplate(scope.run, name)));
        return undefined;
      };
    }
    case 'break':
    case 'continue':
      return () => statement.node;
  }
}

function compileCallBlock(statement: Extract<Statement, {node: 'call-block'}>, blocks: Blocks): Execute {
  const make = compileMacro(statement.caller, statement, blocks);
  const {call} = statement;
  if (call.node !== 'call') throw new Error('not a call');
  const caller = {node: 'name', name: 'caller', start: statement.start, end: statement.end} as const;
  // The caller travels as a named argument, as Jinja does it.
  const evaluate = compileExpression({...call, args: [...call.args, {name: 'caller', value: caller}]});
  return (scope, out) => {
    const inner = new Scope(scope.run, scope);
    inner.names.set('caller', make(scope));
    const value = evaluate(inner);
    out.textOnly++;
    located(statement, () => out.value(value));
    out.textOnly--;
    return undefined;
  };
}
