// Macros: functions written in a template.
import type {Macro} from './ast.ts';
import type {Evaluate} from './compile-expression.ts';
import type {Execute} from './compile-statement.ts';
import {Misuse, type Range} from './fault.ts';
import {mappingOf} from './mapping.ts';
import {Output} from './output.ts';
import {Scope} from './run.ts';
import {Func, Tuple, Undefined} from './values.ts';

type Compiled = {readonly name: string; readonly fallback: Evaluate | undefined};

/** The function that a macro is in a scope. Its result is text. */
export function macroFunction(
  macro: Macro,
  parameters: readonly Compiled[],
  body: Execute,
  range: Range,
  scope: Scope,
): Func {
  const names = parameters.map(({name}) => name);
  const attributes = new Map<string, unknown>([
    ['name', macro.name],
    ['arguments', Tuple.from_(names)],
    ['catch_kwargs', macro.usesKwargs],
    ['catch_varargs', macro.usesVarargs],
    ['caller', macro.usesCaller],
  ]);
  const call = (args: readonly unknown[], named: ReadonlyMap<string, unknown>): unknown => {
    const inner = new Scope(scope.run, scope);
    const rest = new Map(named);
    parameters.forEach(({name, fallback}, i) => {
      let value: unknown;
      if (i < args.length) {
        if (rest.has(name))
          throw new Misuse(`macro ${macro.name}: the argument "${name}" is given twice`, 'bad-argument');
        value = args[i];
      } else if (rest.has(name)) value = rest.get(name);
      else if (fallback !== undefined) value = fallback(inner);
      else {
        const message = `macro ${macro.name}: the argument "${name}" is not given`;
        value = new Undefined(() => ({code: 'undefined-variable', message, start: range.start, end: range.end}));
      }
      rest.delete(name);
      inner.names.set(name, value);
    });
    if (macro.usesCaller) {
      const message = 'there is no caller: this macro is not used by {% call %}';
      const none = new Undefined(() => ({code: 'undefined-variable', message, start: range.start, end: range.end}));
      inner.names.set('caller', rest.get('caller') ?? none);
      rest.delete('caller');
    }
    if (macro.usesKwargs) inner.names.set('kwargs', mappingOf(rest));
    else if (rest.size > 0) {
      const [extra = ''] = rest.keys();
      if (extra === 'caller') throw new Misuse(`macro ${macro.name} does not use its caller`, 'bad-argument');
      throw new Misuse(`macro ${macro.name} has no argument "${extra}"`, 'bad-argument');
    }
    if (macro.usesVarargs) inner.names.set('varargs', Tuple.from_(args.slice(parameters.length)));
    else if (args.length > parameters.length)
      throw new Misuse(`macro ${macro.name} takes at most ${parameters.length} arguments`, 'bad-argument');
    const out = new Output();
    scope.run.nested(() => body(inner, out));
    return out.joined();
  };
  return new Func(macro.name, call, {raw: true, attributes});
}
