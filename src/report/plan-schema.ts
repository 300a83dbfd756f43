// The JSON Schema of a plan file, and of what `tsplay show --output json` prints of it. What is sealed in the file has no schema: only tsplay opens it.
import {hostSchema, object, problemSchema, runSchema, taskSchema} from './output-schema.ts';

type JsonSchema = Readonly<Record<string, unknown>>;

const text = {type: 'string'} as const;
const texts = {type: 'array', items: text} as const;

const {properties, required} = taskSchema as {
  readonly properties: Readonly<Record<string, unknown>>;
  readonly required: readonly string[];
};

/** A task of a plan: that of a report, with what is decided of it. */
const plannedTask: JsonSchema = {
  type: 'object',
  properties: {
    ...properties,
    decided: {
      enum: ['at plan', 'at apply'],
      description: '"at apply": it waits for something that only applying will tell. Missing where planning failed',
    },
    ops: {...texts, description: 'what will be done, in words; contents are sealed'},
    saw: {
      type: 'array',
      description: 'what the plan was made from; it has to be the same when the plan is applied',
      items: object({what: text, was: text}),
    },
  },
  required,
  additionalProperties: false,
};

const share = {
  oneOf: [
    object({with: {const: 'vault'}, id: text, vault: {...text, pattern: '^\\$ANSIBLE_VAULT;'}}, ['vault']),
    object({with: {const: 'controller'}, controller: text, share: text}, ['share']),
  ],
} as const;

/** *source*: JSON Schema draft-07. */
export const planSchema: JsonSchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'tsplay plan',
  ...object(
    {
      tsplayPlan: {const: 1, description: 'the version of the format'},
      made: object({id: text, at: text, by: {...text, description: 'user@controller'}, version: text}),
      site: object({
        folder: text,
        playbooks: texts,
        inventories: texts,
        limit: texts,
        tags: texts,
        skipTags: texts,
      }),
      run: runSchema,
      hosts: {type: 'object', additionalProperties: hostSchema},
      tasks: {type: 'array', items: plannedTask},
      problems: {type: 'array', items: problemSchema},
      verified: {type: 'boolean', description: 'in the output of `show`: the plan is as it was made'},
      sealed: object(
        {
          shares: {type: 'array', items: share, minItems: 1, description: 'all of them are needed to open the plan'},
          data: {...text, description: 'in the file: base64'},
        },
        ['data'],
      ),
    },
    ['verified'],
  ),
};
