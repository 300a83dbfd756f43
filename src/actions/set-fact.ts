import type {Action} from '../engine/action.ts';
import {isTrue, valueOr} from '../engine/known.ts';
import {p} from '../kit/schema.ts';
import type {Node} from '../playbook/node.ts';
import type {Scope} from '../playbook/scope.ts';

/** Sets variables of this host for the rest of the run. Values may still be unknown in check mode; they stay so. */
export const setFact: Action = {
  name: 'set_fact',
  summary: 'Set host variables from values or templates',
  params: {cacheable: p.boolean('they are among `ansible_facts` too; facts set here live as long as the run')},
  anyKeys: true,
  unknowns: true,
  silent: true,
  examples: ['- set_fact:\n    greeting: "hello {{ inventory_hostname }}"\n'],
  run(values, {host: own, runner, task, scope, params}) {
    const facts: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(values)) {
      if (key === 'cacheable' || value === undefined) continue;
      const name = nameOf(key, scope, params);
      if (typeof name !== 'string' || !/^[A-Za-z_]\w*$/.test(name))
        return {status: 'failed', message: `"${String(name)}" cannot be used as a variable`};
      facts[name] = value;
    }
    const {delegateTo, delegateFacts} = task.keywords;
    const isOthers = delegateFacts !== undefined && isTrue(valueOr(scope.evaluate(delegateFacts), false));
    const elsewhere =
      delegateTo === undefined || !isOthers ? undefined : valueOr(scope.evaluate(delegateTo), undefined);
    const host = typeof elsewhere === 'string' ? runner.run.stateOf(elsewhere) : own;
    for (const [name, value] of Object.entries(facts)) {
      host.memory.registered.delete(name);
      host.memory.setFacts.set(name, value);
      if (values['cacheable'] === true) host.memory.facts = {...host.memory.facts, [name]: value};
    }
    return {status: 'ok', result: {ansible_facts: facts}};
  },
};

/** The variable that a key names: Ansible lets the name be a template too. */
function nameOf(key: string, scope: Scope, params: Node | undefined): unknown {
  const entry = params?.kind === 'map' ? params.entries.find((each) => each.key === key) : undefined;
  if (entry === undefined || !key.includes('{{')) return key;
  const name = scope.evaluate({kind: 'scalar', value: key, raw: key, style: 'double', span: entry.keySpan});
  return name.ok ? name.value : key;
}
