// The JSON Schema of the `--output json` document: the promise of the manual, in a form that programs can check.

type JsonSchema = Readonly<Record<string, unknown>>;

const text = {type: 'string'} as const;
const count = {type: 'integer', minimum: 0} as const;

/** An object whose properties are all known; `required` are always there. */
export function object(properties: Readonly<Record<string, unknown>>, optional: readonly string[] = []): JsonSchema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return {type: 'object', properties, required, additionalProperties: false};
}

const place = {type: 'string', pattern: '^.+:[0-9]+:[0-9]+$'} as const;

const value = {
  description: 'null = absent, secret = hidden, unknown = known only after apply',
  oneOf: [{type: 'null'}, text, object({secret: {const: true}}), object({unknown: {const: true}})],
} as const;

const severity = {enum: ['error', 'warning']} as const;
const finding = object({severity, code: text, message: text, help: text}, ['help']);

/** A host's counts, as in `hosts` and in the event `host-finished`. */
export const hostSchema = object(
  {
    status: {enum: ['ok', 'changed', 'failed', 'unreachable']},
    ok: count,
    changed: count,
    failed: count,
    skipped: count,
    refused: count,
    unknown: count,
    ignored: count,
    roundTrips: {...count, description: 'exchanges after the connection stands'},
    unreachable: object({message: text, help: text}, ['help']),
  },
  ['unreachable'],
);

/** One result, as in `tasks` and in the event `task-finished`. */
export const taskSchema = object(
  {
    host: text,
    play: text,
    task: text,
    module: text,
    at: place,
    status: {
      description: 'in check mode "changed" means "would change"',
      enum: ['ok', 'changed', 'skipped', 'failed', 'refused', 'unknown', 'ignored'],
    },
    item: {description: 'of a loop, else null'},
    changes: {type: 'array', items: object({what: text, before: value, after: value})},
    findings: {type: 'array', items: finding},
    diff: {...text, description: 'unified diff, secrets hidden; empty where nothing differs'},
    message: text,
    help: text,
    command: object({label: text, exit: {type: 'integer'}, stderr: text, durationMs: {type: 'number', minimum: 0}}),
    everyRun: {const: true, description: 'it has no state to compare: it runs, or would run, every time'},
    handler: {const: true},
    notified: {type: 'array', items: text, minItems: 1},
    control: {description: "the task's own `control:` field, for audits"},
    pending: {type: 'array', items: text, description: 'what still has to happen outside of this run'},
    durationMs: {type: 'number', minimum: 0},
  },
  ['help', 'command', 'everyRun', 'handler', 'notified', 'control'],
);

/** What is wrong, as in `problems`. */
export const problemSchema = object({severity, code: text, message: text, at: text, help: text, host: text}, [
  'at',
  'help',
  'host',
]);

const compliance = object({
  score: object({passed: count, judged: count, of: {enum: ['controls', 'tasks']}}),
  controls: {
    type: 'array',
    items: object(
      {
        id: text,
        title: text,
        severity: {enum: ['critical', 'high', 'medium', 'low', 'info']},
        rationale: text,
        refs: {type: 'array', items: text},
        at: place,
        hosts: {
          type: 'object',
          additionalProperties: {enum: ['pass', 'fail', 'waived', 'not-applicable', 'error', 'unknown']},
        },
      },
      ['rationale'],
    ),
  },
  waivers: {
    type: 'array',
    items: object({
      controls: {type: 'array', items: text},
      hosts: {...text, description: 'the pattern as it is written'},
      owner: text,
      reason: text,
      expires: {type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\d$'},
      expired: {type: 'boolean'},
      at: place,
    }),
  },
});

/** The run as a whole. */
export const runSchema = object({
  id: text,
  mode: {enum: ['run', 'check', 'plan', 'apply']},
  playbooks: {type: 'array', items: text},
  started: {type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z$'},
  durationMs: {type: 'number', minimum: 0},
  exit: {type: 'integer', minimum: 0, maximum: 255},
});

const milliseconds = {type: 'number', minimum: 0} as const;

/** Where the time went, with `--profile`. */
const profile = object({
  hosts: {
    type: 'object',
    additionalProperties: object({
      connectMs: milliseconds,
      exchangesMs: {...milliseconds, description: 'waiting for the host'},
      planningMs: {...milliseconds, description: 'modules at work on the controller'},
      totalMs: {...milliseconds, description: 'from the first to the last that was heard of it'},
    }),
  },
  tasks: {
    type: 'array',
    description: 'the slowest, over all hosts',
    items: object({
      task: text,
      module: text,
      at: place,
      hosts: count,
      longestMs: milliseconds,
      longestOn: text,
      totalMs: milliseconds,
    }),
  },
});

/** *source*: JSON Schema draft-07. */
export const outputSchema: JsonSchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'tsplay --output json',
  ...object(
    {
      schema: {const: 1},
      run: runSchema,
      hosts: {type: 'object', additionalProperties: hostSchema},
      tasks: {type: 'array', items: taskSchema},
      problems: {type: 'array', items: problemSchema},
      compliance: {...compliance, description: 'where the site has controls'},
      profile: {...profile, description: 'with --profile'},
    },
    ['compliance', 'profile'],
  ),
};
