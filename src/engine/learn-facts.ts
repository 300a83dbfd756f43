import {isMapping} from '../base/json.ts';
import {Unknown} from '../base/unknown.ts';
import type {HostMemory} from '../playbook/scope.ts';
import type {Task} from '../playbook/program.ts';
import type {Registered} from './registered.ts';

/**
 * Facts that a module brings (`service_facts`, `getent`): from its results where they are known, else they are unknown until then, so that whatever asks
 * for them waits. As with Ansible they are found below `ansible_facts` and under their own names.
 */
export function learnFacts(
  task: Task,
  tickets: readonly {readonly registered?: Registered | Unknown | undefined}[],
  memory: HostMemory,
): void {
  if (task.doing.do !== 'module' || task.doing.module.facts === undefined) return;
  const learn = (name: string, value: unknown): void => {
    memory.facts[name.replace(/^ansible_/, '')] = value;
    if (!name.startsWith('ansible_')) memory.setFacts.set(name, value);
  };
  for (const {registered} of tickets) {
    if (registered === undefined || registered instanceof Unknown) {
      const cause = registered ?? new Unknown(`task "${task.spelled}"`);
      for (const name of task.doing.module.facts) learn(name, cause);
      continue;
    }
    const facts = registered['ansible_facts'];
    if (isMapping(facts)) for (const [name, value] of Object.entries(facts)) learn(name, value);
  }
}
