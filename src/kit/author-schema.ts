// What an author may write, where json-schema.ts says what a module gets: every typed value may also be a template, yes and no are booleans,
// digits in quotes are numbers. Editors complete and complain by it.
import {schemaOfKind, type JsonSchema} from './json-schema.ts';
import {describeKind, type Kind, type Param, type Params} from './schema.ts';

/** Refers to the definition that every document with these schemas has to hold: see {@link templateDefinition}. */
const template = {$ref: '#/definitions/template'} as const;

/** A text with a template in it. */
export const templateDefinition: JsonSchema = {
  type: 'string',
  pattern: '\\{[{%]',
  description: 'a template, such as "{{ variable }}"',
};

/** Words that are read as booleans where one is declared. */
export const truthWords: JsonSchema = {
  enum: ['yes', 'no', 'on', 'off', 'true', 'false', 'y', 'n', 't', 'f', '1', '0', 0, 1],
};

/** The schema of a value as it may be written. *source*: JSON Schema draft-07. */
export function authorSchemaOfKind(kind: Kind): JsonSchema {
  const or = (...schemas: readonly JsonSchema[]): JsonSchema => ({anyOf: [...schemas, template]});
  switch (kind.kind) {
    case 'text':
    case 'secret':
      return {type: ['string', 'number', 'boolean']};
    case 'string':
      return or({...schemaOfKind(kind), type: ['string', 'number', 'boolean']});
    case 'path':
    case 'mode':
      return or(schemaOfKind(kind));
    case 'controllerFile':
    case 'template':
      return {type: 'string', minLength: 1};
    case 'boolean':
      return or({type: 'boolean'}, truthWords);
    case 'integer':
      return or(schemaOfKind(kind), {type: 'string', pattern: '^\\s*[-+]?\\d+\\s*$'});
    case 'number':
      return or(schemaOfKind(kind), {type: 'string', pattern: '^\\s*[-+]?\\d+(\\.\\d+)?([eE][-+]?\\d+)?\\s*$'});
    case 'choice':
      return or({enum: [...kind.values, ...booleansOf(kind.values)]});
    case 'list': {
      const of = authorSchemaOfKind(kind.of);
      return or({type: 'array', items: of, ...(kind.nonEmpty === true ? {minItems: 1} : {})}, single(kind.of, of));
    }
    case 'object':
      return or(authorSchemaOfParams(kind.params));
    case 'map':
      return or({type: 'object', additionalProperties: authorSchemaOfKind(kind.of)});
    case 'any':
      return {};
    case 'either':
      return {anyOf: kind.of.map(authorSchemaOfKind)};
  }
}

/** The schema of a mapping of parameters, aliases included; a missing one may be given as null. */
export function authorSchemaOfParams(params: Params, expressions: readonly string[] = []): JsonSchema {
  const properties: Record<string, JsonSchema> = {};
  const required: JsonSchema[] = [];
  for (const [name, param] of Object.entries(params)) {
    const schema = expressions.includes(name) ? {} : authorSchemaOfKind(param.kind);
    for (const spelled of [name, ...param.aliases])
      properties[spelled] = {...schema, description: descriptionOf(param, spelled === name ? undefined : name)};
    if (param.need === 'required')
      required.push(
        param.aliases.length === 0
          ? {required: [name]}
          : {anyOf: [name, ...param.aliases].map((spelled) => ({required: [spelled]}))},
      );
  }
  return {type: 'object', properties, additionalProperties: false, ...(required.length > 0 ? {allOf: required} : {})};
}

/** A single element stands for a list of one; several may stand in one text with commas. */
function single(of: Kind, schema: JsonSchema): JsonSchema {
  return ['object', 'text', 'secret', 'any'].includes(of.kind) ? schema : {type: ['string', 'number']};
}

/** `no` is a boolean to those who learnt YAML 1.1. */
function booleansOf(values: readonly string[]): readonly boolean[] {
  return [
    ...(['yes', 'on', 'true'].some((word) => values.includes(word)) ? [true] : []),
    ...(['no', 'off', 'false'].some((word) => values.includes(word)) ? [false] : []),
  ];
}

function descriptionOf(param: Param, aliasOf: string | undefined): string {
  const need =
    param.need === 'required'
      ? '; required'
      : param.need === 'default'
        ? `; default ${typeof param.default === 'string' ? `"${param.default}"` : JSON.stringify(param.default)}`
        : '';
  return `${aliasOf === undefined ? '' : `Same as ${aliasOf}. `}${param.doc} (${describeKind(param.kind)}${need})`;
}
