import {isMapping} from '../base/json.ts';
import {ok} from '../base/result.ts';
import type {Action} from '../engine/action.ts';
import {p} from '../kit/schema.ts';
import {judgeArguments} from '../playbook/argument-specs.ts';

/**
 * Fails where variables are not as a specification wants them. A role with `argument_specs` begins with it: then the specification is the role's, and
 * the arguments are the variables of the names that it has.
 */
export const validateArgumentSpec: Action = {
  name: 'validate_argument_spec',
  summary: 'Judge variables by a specification of arguments',
  params: {
    argument_spec: p.any('from the name of an argument to its specification'),
    provided_arguments: p.any('the arguments; in a role the variables of these names'),
    validate_args_context: p.any('accepted for compatibility: messages name the role anyway'),
  },
  silent: true,
  examples: [
    '- validate_argument_spec:\n    argument_spec:\n      port: {type: int, required: true}\n    provided_arguments:\n      port: 22\n',
  ],
  async run(values, {task, scope, runner}) {
    const spec = task.argumentSpec;
    const options = spec?.options ?? (isMapping(values['argument_spec']) ? values['argument_spec'] : {});
    const provided = values['provided_arguments'];
    const given: Record<string, unknown> = isMapping(provided) ? {...provided} : {};
    for (const name of spec === undefined ? [] : Object.keys(options)) {
      const value = await runner.known(scope, () => scope.lookup(name) ?? ok(undefined));
      if (value.is === 'unknown')
        return {status: 'unknown', message: `${name} is known only after ${value.cause.cause}`};
      if (value.is === 'wrong') return {status: 'failed', message: `${name}: ${value.problems[0].message}`};
      if (value.value !== undefined) given[name] = value.value;
    }
    const problems = judgeArguments(options, given);
    if (problems.length === 0) return {status: 'ok', result: {msg: 'The arg spec validation passed'}};
    const message = `Validation of arguments failed:\n${problems.join('\n')}`;
    return {
      status: 'failed',
      message,
      result: {msg: message, argument_errors: problems, argument_spec_data: options},
    };
  },
};
