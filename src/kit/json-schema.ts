import type {Kind, Params} from './schema.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

const octalMode = '^[0-7]{3,4}$';
const symbolicMode = '^[ugoa]*([-+=][rwxXstugo]*)+(,[ugoa]*([-+=][rwxXstugo]*)+)*$';

/** The JSON Schema of plain values, after templates and the lenient reading. *source*: JSON Schema draft-07. */
export function schemaOfKind(kind: Kind): JsonSchema {
  switch (kind.kind) {
    case 'string':
      return {
        type: 'string',
        ...(kind.pattern === undefined ? {} : {pattern: kind.pattern}),
        ...(kind.minLength === undefined ? {} : {minLength: kind.minLength}),
      };
    case 'text':
    case 'secret':
      return {type: 'string'};
    case 'controllerFile':
    case 'template':
      return {type: 'string', minLength: 1};
    case 'boolean':
      return {type: 'boolean'};
    case 'integer':
    case 'number':
      return {
        type: kind.kind,
        ...(kind.min === undefined ? {} : {minimum: kind.min}),
        ...(kind.max === undefined ? {} : {maximum: kind.max}),
      };
    case 'mode':
      return {type: 'string', pattern: `(${octalMode})|(${symbolicMode})|^preserve$`};
    case 'path':
      return {type: 'string', pattern: '^/[^\\x00]*$'};
    case 'choice':
      return {type: 'string', enum: kind.values};
    case 'list':
      return {type: 'array', items: schemaOfKind(kind.of), ...(kind.nonEmpty === true ? {minItems: 1} : {})};
    case 'object':
      return schemaOfParams(kind.params);
    case 'map':
      return {type: 'object', additionalProperties: schemaOfKind(kind.of)};
    case 'any':
      return {};
    case 'either':
      return {anyOf: kind.of.map(schemaOfKind)};
  }
}

/** The schema of a module's parameters (names without aliases: those are resolved before). */
export function schemaOfParams(params: Params): JsonSchema {
  const names = Object.keys(params);
  const required = names.filter((name) => params[name]!.need === 'required');
  return {
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name, schemaOfKind(params[name]!.kind)])),
    additionalProperties: false,
    ...(required.length > 0 ? {required} : {}),
  };
}
