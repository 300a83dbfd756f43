import type {Action} from '../engine/action.ts';
import {p} from '../kit/schema.ts';

const params = {
  gather_subset: p.list(p.string('a subset'), 'accepted for compatibility; only facts that are used are read'),
  filter: p.list(p.string('a name or glob'), 'facts to return'),
  gather_timeout: p.integer('accepted for compatibility: `timeout:` of the task limits it'),
  fact_path: p.string('accepted for compatibility: /etc/ansible/facts.d'),
};

/** Makes sure that facts are there. They ride along in the first exchange anyway. */
export const setup: Action = {
  name: 'setup',
  summary: 'Read facts about the host',
  params,
  examples: ['- setup:\n'],
  async run(values, {runner, host}) {
    await runner.connect();
    await runner.widenFacts();
    const globs = (values['filter'] as readonly string[] | undefined)?.map(
      (glob) =>
        new RegExp(
          `^${glob
            .replace(/^ansible_/, '')
            .replace(/[.+^${}()|\\]/g, '\\$&')
            .replaceAll('*', '.*')
            .replaceAll('?', '.')}$`,
        ),
    );
    const facts = Object.entries(host.memory.facts).filter(
      ([name]) => globs === undefined || globs.length === 0 || globs.some((glob) => glob.test(name)),
    );
    return {
      status: 'ok',
      result: {ansible_facts: Object.fromEntries(facts.map(([name, value]) => [`ansible_${name}`, value]))},
    };
  },
};

/** Ansible's other name for the same. */
export const gatherFacts: Action = {...setup, name: 'gather_facts', examples: ['- gather_facts:\n']};
