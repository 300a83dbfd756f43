import {placeOf} from '../base/diagnostic.ts';
import type {Action} from '../engine/action.ts';
import {isTrue} from '../engine/known.ts';
import {p} from '../kit/schema.ts';
import {child, type Node} from '../playbook/node.ts';

/** Fails unless all conditions hold. */
export const assert: Action = {
  name: 'assert',
  summary: 'Fail unless conditions hold',
  params: {
    that: p.any('one condition or a list of them (expressions without braces)', {required: true}),
    fail_msg: p.string('what to say when it fails', {aliases: ['msg']}),
    success_msg: p.string('what to say when it holds'),
    quiet: p.boolean('say nothing on success'),
  },
  expressions: ['that'],
  examples: [
    '- assert:\n    that:\n      - groups is defined\n      - inventory_hostname | length > 0\n    fail_msg: no inventory\n',
  ],
  async run(values, {params, evaluate}) {
    const that = child(params, 'that');
    const conditions: readonly Node[] = that === undefined ? [] : that.kind === 'list' ? that.items : [that];
    for (const condition of conditions) {
      const answer = await evaluate(condition);
      const text = condition.kind === 'scalar' ? condition.raw : 'a condition';
      if (answer.is === 'unknown')
        return {status: 'unknown', message: `\`${text}\` is known only after ${answer.cause.cause}`};
      if (answer.is === 'wrong') {
        const [problem] = answer.problems;
        return {
          status: 'failed',
          message: `${problem.message}${problem.span === undefined ? '' : ` (${placeOf(problem.span)})`}`,
          result: {assertion: text, evaluated_to: null},
        };
      }
      if (!isTrue(answer.value)) {
        return {
          status: 'failed',
          message: String(values['fail_msg'] ?? `does not hold: ${text}`),
          result: {assertion: text, evaluated_to: false},
        };
      }
    }
    return {
      status: 'ok',
      message: values['quiet'] === true ? undefined : String(values['success_msg'] ?? 'All assertions passed'),
    };
  },
};
