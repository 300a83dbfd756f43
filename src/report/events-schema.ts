// The JSON Schema of one line of `--events FILE`.
import {hostSchema, taskSchema} from './output-schema.ts';

type JsonSchema = Readonly<Record<string, unknown>>;

const text = {type: 'string'} as const;
const durationMs = {type: 'number', minimum: 0} as const;
const run = {
  type: 'object',
  properties: {
    id: text,
    mode: {enum: ['run', 'check', 'plan', 'apply']},
    playbooks: {type: 'array', items: text},
    started: text,
    durationMs,
    exit: {type: 'integer', minimum: 0, maximum: 255},
  },
  required: ['id', 'mode', 'playbooks', 'started'],
  additionalProperties: false,
} as const;

/** One kind of event; `optional` properties may be missing. */
function line(
  event: string,
  properties: Readonly<Record<string, unknown>>,
  optional: readonly string[] = [],
): JsonSchema {
  const all = {at: {type: 'string', description: 'ISO 8601'}, event: {const: event}, ...properties};
  return {
    type: 'object',
    properties: all,
    required: Object.keys(all).filter((name) => !optional.includes(name)),
    additionalProperties: false,
  };
}

/** *source*: JSON Schema draft-07. */
export const eventsSchema: JsonSchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'tsplay --events: one line',
  oneOf: [
    line('run-started', {run}),
    line('play-started', {play: text, hosts: {type: 'array', items: text}, at: text}),
    line('host-connected', {host: text, via: text, durationMs}),
    line('host-unreachable', {host: text, message: text, help: text}, ['help']),
    line('exchange', {host: text, user: text, fragments: {type: 'integer', minimum: 0}, durationMs}, ['user']),
    line('script', {host: text, label: text, text}),
    line('silence', {host: text, label: text, silentMs: {type: 'number', minimum: 0}}),
    line('task-started', {host: text, play: text, task: text, at: text}),
    line('task-finished', {result: taskSchema}),
    line('message', {host: text, text}, ['host']),
    line(
      'problem',
      {
        diagnostic: {type: 'object', required: ['severity', 'code', 'message']},
        at: text,
      },
      ['at'],
    ),
    line('pending-done', {host: text, text}),
    line('host-finished', {host: text, summary: hostSchema}),
    line('run-finished', {
      outcome: {
        type: 'object',
        properties: {run, hosts: {type: 'object', additionalProperties: hostSchema}},
        required: ['run', 'hosts'],
        additionalProperties: false,
      },
    }),
  ],
};
