import {placeOf} from '../base/diagnostic.ts';
import {Secret} from '../base/secret.ts';
import {Unknown} from '../base/unknown.ts';
import type {Action} from '../engine/action.ts';
import {p} from '../kit/schema.ts';
import {child, type Node} from '../playbook/node.ts';

/** Shows a message or an expression's value; secrets in it are masked. */
export const debug: Action = {
  name: 'debug',
  summary: 'Print a message or the value of an expression',
  params: {
    msg: p.any('what to print'),
    var: p.string('an expression to evaluate and print (without braces)'),
    verbosity: p.integer('print only from this number of -v on'),
  },
  expressions: ['var'],
  unknowns: true,
  examples: ['- debug:\n    msg: "this is {{ inventory_hostname }}"\n', '- debug:\n    var: groups\n'],
  async run(values, {params, evaluate, run}) {
    if (typeof values['verbosity'] === 'number' && values['verbosity'] > run.verbosity)
      return {status: 'skipped', message: `shown with -${'v'.repeat(values['verbosity'])}`};
    const expression = child(params, 'var');
    if (expression === undefined) {
      const message = values['msg'] ?? 'Hello world!';
      return {status: 'ok', message: shown(message), result: {msg: message}};
    }
    const evaluated = await evaluate(expression);
    const name = nameOf(expression);
    if (evaluated.is === 'unknown')
      return {status: 'ok', message: `${nameOf(expression)} = ${evaluated.cause.toString()}`};
    if (evaluated.is === 'wrong') {
      const [problem] = evaluated.problems;
      return {
        status: 'ok',
        message: `${name}: ${problem.message}${problem.span === undefined ? '' : ` (${placeOf(problem.span)})`}`,
        result: {[name]: 'VARIABLE IS NOT DEFINED!'},
      };
    }
    return {status: 'ok', message: `${name} = ${shown(evaluated.value)}`, result: {[name]: evaluated.value}};
  },
};

function nameOf(expression: Node): string {
  return expression.kind === 'scalar' ? expression.raw : 'value';
}

/** A value as people read it: text as it is, data as indented JSON with secrets masked. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Secret) return value.masked();
  if (value instanceof Unknown) return value.toString();
  return JSON.stringify(value, undefined, 2);
}
