import type {Action} from '../engine/action.ts';
import {p} from '../kit/schema.ts';

/** Sets variables of this host for the rest of the run. Values may still be unknown in check mode; they stay so. */
export const setFact: Action = {
  name: 'set_fact',
  summary: 'Set host variables from values or templates',
  params: {cacheable: p.boolean('accepted for compatibility; facts set here live as long as the run')},
  anyKeys: true,
  unknowns: true,
  silent: true,
  examples: ['- set_fact:\n    greeting: "hello {{ inventory_hostname }}"\n'],
  run(values, {host}) {
    const facts = Object.fromEntries(
      Object.entries(values).filter(([name, value]) => name !== 'cacheable' && value !== undefined),
    );
    for (const [name, value] of Object.entries(facts)) {
      host.memory.registered.delete(name);
      host.memory.setFacts.set(name, value);
    }
    return {status: 'ok', result: {ansible_facts: facts}};
  },
};
