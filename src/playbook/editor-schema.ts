// JSON Schemas of what authors write, made from the same tables that the loader reads by: a keyword or a module that is added appears in editors by itself.
import type {ActionSpec} from '../catalog/action-spec.ts';
import {aliasesOf} from '../catalog/names.ts';
import {authorSchemaOfParams, templateDefinition, truthWords} from '../kit/author-schema.ts';
import type {JsonSchema} from '../kit/json-schema.ts';
import type {Module} from '../kit/module.ts';
import {controlSeverities} from './control.ts';
import {blockKeys, importPlaybookKeys, playKeys, roleKeys, taskKeys, type KeywordKind} from './keyword-table.ts';

const draft = 'http://json-schema.org/draft-07/schema#';
const template = {$ref: '#/definitions/template'} as const;
const items = {type: ['array', 'null'], items: {$ref: '#/definitions/item'}} as const;
const scalar = {type: ['string', 'number', 'boolean']} as const;

/** What a task may call: `spec` is a module or an action. */
export type Callable = Pick<Module, 'name' | 'summary' | 'params' | 'freeForm'> &
  Pick<ActionSpec, 'anyKeys' | 'expressions'>;

/** The schema of playbooks, and of files of tasks and handlers. */
export function playbookSchema(callables: readonly Callable[]): JsonSchema {
  const roleOptions: JsonSchema = {
    type: 'object',
    properties: {
      name: scalar,
      role: scalar,
      tasks_from: scalar,
      vars_from: scalar,
      defaults_from: scalar,
      handlers_from: scalar,
      apply: {type: 'object'},
      public: keyword('truth'),
      allow_duplicates: keyword('truth'),
      rolespec_validate: keyword('truth'),
    },
    additionalProperties: false,
  };
  const includes: Record<string, JsonSchema> = {
    include_tasks: fileOr('tasks of a file, found when the task runs'),
    import_tasks: fileOr('tasks of a file, put in when the playbook is read'),
    include_role: {...roleOptions, description: 'a role, found when the task runs'},
    import_role: {...roleOptions, description: 'a role, put in when the playbook is read'},
  };
  const modules: Record<string, JsonSchema> = {};
  for (const [name, schema] of Object.entries(includes))
    for (const spelled of [name, `ansible.builtin.${name}`]) modules[spelled] = schema;
  const definitions: Record<string, JsonSchema> = {};
  for (const callable of callables) {
    definitions[`module_${callable.name}`] = callSchema(callable);
    for (const name of [callable.name, ...aliasesOf(callable.name)])
      for (const spelled of [name, `ansible.builtin.${name}`])
        modules[spelled] = {$ref: `#/definitions/module_${callable.name}`};
  }
  const task = {
    type: 'object',
    properties: {...modules, ...keywords(taskKeys)},
    // loops, and modules by the names of other collections
    patternProperties: {'^with_[a-z_]+$': {}, '^(?!ansible\\.builtin\\.)[a-z_]+\\.[a-z_]+\\.[a-z_0-9]+$': {}},
    additionalProperties: false,
  };
  return {
    $schema: draft,
    title: 'tsplay playbook, or a file of tasks',
    type: ['array', 'null'],
    items: {
      if: {type: 'object', anyOf: ['hosts', 'tasks', 'roles', 'pre_tasks', 'post_tasks', 'handlers'].map(has)},
      then: {$ref: '#/definitions/play'},
      else: {
        if: {type: 'object', anyOf: ['import_playbook', 'ansible.builtin.import_playbook'].map(has)},
        then: {$ref: '#/definitions/importPlaybook'},
        else: {$ref: '#/definitions/item'},
      },
    },
    definitions: {
      template: templateDefinition,
      play: {
        type: 'object',
        properties: {
          ...keywords(playKeys),
          hosts: {
            description: 'which hosts: a pattern or a list of patterns',
            anyOf: [{type: 'string'}, {type: 'array', items: {type: 'string'}}],
          },
          strategy: {anyOf: [{enum: ['free', 'linear', 'host_pinned']}, template]},
          order: {enum: ['inventory', 'reverse_inventory', 'sorted', 'reverse_sorted', 'shuffle']},
          roles: {type: ['array', 'null'], items: {anyOf: [{type: 'string'}, {$ref: '#/definitions/role'}]}},
        },
        required: ['hosts'],
        additionalProperties: false,
      },
      importPlaybook: {
        type: 'object',
        properties: {...keywords(importPlaybookKeys), 'ansible.builtin.import_playbook': scalar},
        additionalProperties: false,
      },
      role: {
        type: 'object',
        properties: {...keywords(roleKeys), name: scalar},
        anyOf: [has('role'), has('name')],
      },
      item: {
        if: {type: 'object', anyOf: ['block', 'rescue', 'always'].map(has)},
        then: {$ref: '#/definitions/block'},
        else: {$ref: '#/definitions/task'},
      },
      block: {type: 'object', properties: keywords(blockKeys), required: ['block'], additionalProperties: false},
      task,
      ...definitions,
    },
  };
}

/** The schema of inventories in YAML. */
export function inventorySchema(): JsonSchema {
  const group = {$ref: '#/definitions/group'} as const;
  const described = (words: Readonly<Record<string, string>>, type: JsonSchema): Record<string, JsonSchema> =>
    Object.fromEntries(Object.entries(words).map(([name, description]) => [name, {...type, description}]));
  return {
    $schema: draft,
    title: 'tsplay inventory',
    type: ['object', 'null'],
    propertyNames: {not: {enum: ['hosts', 'children', 'vars', 'plugin']}},
    additionalProperties: group,
    definitions: {
      group: {
        type: ['object', 'null'],
        properties: {
          hosts: {
            description: 'hosts of this group, by name; web[01:20] stands for twenty',
            type: ['object', 'null', 'string'],
            additionalProperties: {$ref: '#/definitions/variables'},
          },
          children: {
            description: 'groups inside this one',
            type: ['object', 'null', 'string'],
            additionalProperties: group,
          },
          vars: {$ref: '#/definitions/variables'},
        },
        additionalProperties: false,
      },
      variables: {
        type: ['object', 'null'],
        properties: {
          ...described(
            {
              ansible_host: 'name or address to connect to',
              ansible_user: 'login user',
              ansible_password: 'login password; keep it in a vault',
              ansible_ssh_private_key_file: 'key to log in with',
              ansible_ssh_common_args: 'further options of ssh',
              ansible_become_user: 'account to become',
              ansible_become_password: 'password for becoming another account; keep it in a vault',
            },
            {type: ['string', 'number']},
          ),
          ansible_port: {type: ['integer', 'string'], description: 'port of sshd'},
          ansible_connection: {
            anyOf: [{enum: ['ssh', 'openssh', 'local', 'smart', 'paramiko']}, {type: 'string', pattern: '\\{\\{'}],
            description: 'how to reach the host',
          },
          ansible_become: {
            ...keyword('truth'),
            anyOf: [{type: 'boolean'}, truthWords, {type: 'string', pattern: '\\{\\{'}],
          },
          ansible_become_method: {
            enum: ['sudo', 'su', 'doas', 'ansible.builtin.sudo', 'ansible.builtin.su', 'community.general.doas'],
          },
        },
        propertyNames: {pattern: '^[A-Za-z_]\\w*$'},
      },
    },
  };
}

function has(name: string): JsonSchema {
  return {required: [name]};
}

function fileOr(description: string): JsonSchema {
  return {
    description,
    anyOf: [
      {type: 'string'},
      {type: 'object', properties: {file: scalar, apply: {type: 'object'}}, additionalProperties: false},
    ],
  };
}

const controlSchema: JsonSchema = {
  description: 'whose rule this is: hosts are judged by it in `tsplay check`',
  type: 'object',
  properties: {
    id: {description: 'names it in waivers and history', type: ['string', 'number'], pattern: '^\\S+$'},
    title: scalar,
    severity: {anyOf: [{enum: controlSeverities}, template]},
    rationale: scalar,
    refs: {description: 'paragraphs of standards, addresses', anyOf: [scalar, {type: 'array', items: scalar}]},
  },
  required: ['id'],
  additionalProperties: false,
};

function keywords(table: Readonly<Record<string, KeywordKind>>): Record<string, JsonSchema> {
  return Object.fromEntries(Object.entries(table).map(([name, kind]) => [name, keyword(kind)]));
}

/** A keyword's value; null means that it is not given. */
function keyword(kind: KeywordKind): JsonSchema {
  const nothing = {type: 'null'} as const;
  switch (kind) {
    case 'truth':
      return {anyOf: [{type: 'boolean'}, truthWords, template, nothing]};
    case 'count':
      return {anyOf: [{type: 'number', minimum: 0}, {type: 'string', pattern: '^\\s*\\d+\\s*$'}, template, nothing]};
    case 'size': {
      const one = {
        anyOf: [{type: 'integer', minimum: 1}, {type: 'string', pattern: '^[1-9]\\d*(\\.\\d+)?%?$'}, template],
      };
      return {anyOf: [one, {type: 'array', items: one}, nothing]};
    }
    case 'method':
      return {anyOf: [{enum: ['sudo', 'su', 'doas']}, template, nothing]};
    case 'files':
      return {anyOf: [scalar, {type: 'array', items: {anyOf: [scalar, {type: 'array', items: scalar}]}}, nothing]};
    case 'number':
      return {anyOf: [{type: 'number'}, {type: 'string', pattern: '^\\s*-?\\d+(\\.\\d+)?%?\\s*$'}, template, nothing]};
    case 'text':
      return {type: ['string', 'number', 'boolean', 'null']};
    case 'conditions':
      return {anyOf: [scalar, {type: 'array', items: scalar}, nothing]};
    case 'mapping':
      return {anyOf: [{type: 'object'}, template, nothing]};
    case 'mappings':
      return {
        anyOf: [{type: 'object'}, {type: 'array', items: {anyOf: [{type: 'object'}, template]}}, template, nothing],
      };
    case 'names':
      return {anyOf: [scalar, {type: 'array', items: scalar}, nothing]};
    case 'identifier':
      return {type: 'string', pattern: '^[A-Za-z_]\\w*$'};
    case 'parts':
      return items;
    case 'control':
      return {anyOf: [controlSchema, nothing]};
    case 'any':
      return {};
  }
}

/** A module's value in a task: a mapping, `a=b` words or the free form in a text, or nothing. */
function callSchema({summary, params, freeForm, anyKeys, expressions}: Callable): JsonSchema {
  const mapping = authorSchemaOfParams(params, expressions);
  const freeList = freeForm !== undefined && params[freeForm]?.kind.kind === 'list';
  return {
    description: summary,
    anyOf: [
      anyKeys === true ? {...mapping, additionalProperties: true} : mapping,
      {type: 'string'},
      ...(freeForm === undefined ? [] : [{type: ['number', 'boolean']}]),
      ...(freeList ? [{type: 'array'}] : []),
      {type: 'null'},
    ],
  };
}
