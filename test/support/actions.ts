// The engine's actions as the loader knows them, without the engine.
import type {ActionSpec} from '../../src/catalog/action-spec.ts';
import {p} from '../../src/kit/schema.ts';

const specs: readonly ActionSpec[] = [
  {
    name: 'debug',
    summary: 'print',
    params: {msg: p.any('what'), var: p.string('expression'), verbosity: p.integer('from -v')},
    expressions: ['var'],
    examples: ['- debug:\n'],
  },
  {
    name: 'set_fact',
    summary: 'set',
    params: {cacheable: p.boolean('ignored')},
    anyKeys: true,
    examples: ['- set_fact: {a: 1}\n'],
  },
  {
    name: 'assert',
    summary: 'check',
    params: {that: p.any('conditions', {required: true}), fail_msg: p.string('message', {aliases: ['msg']})},
    expressions: ['that'],
    examples: ['- assert: {that: true}\n'],
  },
  {name: 'fail', summary: 'fail', params: {msg: p.string('why')}, examples: ['- fail:\n']},
  {
    name: 'meta',
    summary: 'steer',
    params: {do: p.choice(['flush_handlers', 'noop', 'end_play'], 'what', {required: true})},
    freeForm: 'do',
    examples: ['- meta: noop\n'],
  },
  {
    name: 'include_vars',
    summary: 'read variables',
    params: {file: p.string('the file'), name: p.string('into')},
    freeForm: 'file',
    examples: ['- include_vars: a.yml\n'],
  },
  {
    name: 'add_host',
    summary: 'add a host',
    params: {name: p.string('the host', {required: true}), groups: p.list(p.string('a group'), 'groups')},
    anyKeys: true,
    examples: ['- add_host: {name: a}\n'],
  },
];

/** Actions by name. */
export const actions: ReadonlyMap<string, ActionSpec> = new Map(specs.map((spec) => [spec.name, spec]));
