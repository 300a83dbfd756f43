import type {Secret} from '../base/secret.ts';
import type {Blob} from './op.ts';

/**
 * What a parameter holds, as a tree. One description gives everything: the JSON Schema for ajv, the editors' schema, the manual,
 * the lenient reading of YAML (yes/no, numbers in quotes, one element for a list) and the static type.
 */
export type Kind =
  | {readonly kind: 'string'; readonly pattern?: string; readonly describe?: string; readonly minLength?: number}
  | {readonly kind: 'text'}
  | {readonly kind: 'secret'}
  | {readonly kind: 'boolean'}
  | {readonly kind: 'integer'; readonly min?: number; readonly max?: number}
  | {readonly kind: 'number'; readonly min?: number; readonly max?: number}
  | {readonly kind: 'mode'}
  | {readonly kind: 'path'}
  | {readonly kind: 'choice'; readonly values: readonly string[]}
  | {readonly kind: 'list'; readonly of: Kind; readonly nonEmpty?: true}
  | {readonly kind: 'object'; readonly params: Params}
  | {readonly kind: 'map'; readonly of: Kind}
  | {readonly kind: 'any'}
  | {readonly kind: 'controllerFile'; readonly folder: string; readonly arguments?: true}
  | {readonly kind: 'template'}
  | {readonly kind: 'either'; readonly of: readonly Kind[]};

type Need = 'required' | 'optional' | 'default';

/** One parameter: what it holds, whether it must be there, what it means. `default` is in the form the author would write. */
export type Param<T = unknown, N extends Need = Need> = {
  readonly kind: Kind;
  readonly need: N;
  readonly doc: string;
  readonly default?: unknown;
  readonly aliases: readonly string[];
  /** carries the static type; never set */
  readonly type?: T;
};
export type Params = Readonly<Record<string, Param>>;

/** The static type of a module's values: required and defaulted ones are there, the others may be undefined ("leave as it is"). */
export type Values<S extends Params> = {
  readonly [K in keyof S]: S[K] extends Param<infer T, infer N> ? (N extends 'optional' ? T | undefined : T) : never;
};

/**
 * A file or folder on the controller that a parameter names. `bytes` is there up to 1 MiB. `mode`: its permission bits as octal text.
 * `secret`: it is a vault, and what was in it (always in `bytes`, and text) is what the digest is of.
 */
export type ControllerFile = {
  /** what stands behind the path, where the parameter is a command line */
  readonly arguments?: string | Secret;
} & (
  | {readonly type: 'missing'; readonly path: string; readonly searched: readonly string[]; readonly help?: string}
  | {
      readonly type: 'file';
      readonly path: string;
      readonly blob: Blob;
      readonly bytes?: Uint8Array;
      readonly secret?: Secret;
      readonly mode: string;
    }
  | {
      readonly type: 'directory';
      readonly path: string;
      readonly entries: readonly ({readonly relative: string; readonly mode: string} & (
        | {readonly type: 'directory'}
        | {readonly type: 'file'; readonly blob: Blob; readonly bytes?: Uint8Array; readonly secret?: Secret}
        | {readonly type: 'link'; readonly target: string}
      ))[];
    }
);

/** A controller template, rendered with the task's variables. */
export type Rendered = {readonly path: string; readonly text: string | Secret};

type Options = {readonly required?: true; readonly default?: unknown; readonly aliases?: readonly string[]};
type NeedOf<O> = O extends {required: true} ? 'required' : O extends {default: unknown} ? 'default' : 'optional';

function param<T, const O extends Options>(kind: Kind, doc: string, options: O | undefined): Param<T, NeedOf<O>> {
  const given: Options = options ?? {};
  const need: Need = given.required === true ? 'required' : 'default' in given ? 'default' : 'optional';
  return {
    kind,
    need: need as NeedOf<O>,
    doc,
    aliases: given.aliases ?? [],
    ...('default' in given ? {default: given.default} : {}),
  };
}

/** Parameter builders: `p.string('what it means', {required: true})`. */
export const p = {
  /** A string that is never secret: a name, an address. Numbers are taken as their digits. */
  string: <const O extends Options & {pattern?: string; describe?: string; minLength?: number}>(
    doc: string,
    o?: O,
  ): Param<string, NeedOf<O>> =>
    param(
      {
        kind: 'string',
        ...(o?.pattern === undefined ? {} : {pattern: o.pattern}),
        ...(o?.describe === undefined ? {} : {describe: o.describe}),
        ...(o?.minLength === undefined ? {} : {minLength: o.minLength}),
      },
      doc,
      o,
    ),
  /** Text that may hold secret parts: a file's content, a command line. */
  text: <const O extends Options>(doc: string, o?: O): Param<string | Secret, NeedOf<O>> =>
    param({kind: 'text'}, doc, o),
  /** A password or key: always wholly secret. */
  secret: <const O extends Options>(doc: string, o?: O): Param<Secret, NeedOf<O>> => param({kind: 'secret'}, doc, o),
  boolean: <const O extends Options>(doc: string, o?: O): Param<boolean, NeedOf<O>> => param({kind: 'boolean'}, doc, o),
  integer: <const O extends Options & {min?: number; max?: number}>(doc: string, o?: O): Param<number, NeedOf<O>> =>
    param(
      {kind: 'integer', ...(o?.min === undefined ? {} : {min: o.min}), ...(o?.max === undefined ? {} : {max: o.max})},
      doc,
      o,
    ),
  number: <const O extends Options & {min?: number; max?: number}>(doc: string, o?: O): Param<number, NeedOf<O>> =>
    param(
      {kind: 'number', ...(o?.min === undefined ? {} : {min: o.min}), ...(o?.max === undefined ? {} : {max: o.max})},
      doc,
      o,
    ),
  /** Permission bits: quoted octal (`"0644"`) or symbolic (`u=rw,g=r`), kept as written. */
  mode: <const O extends Options>(doc: string, o?: O): Param<string, NeedOf<O>> => param({kind: 'mode'}, doc, o),
  /** An absolute path on the host, normalised (no trailing slash, no `//`, no `.`). */
  path: <const O extends Options>(doc: string, o?: O): Param<string, NeedOf<O>> => param({kind: 'path'}, doc, o),
  choice: <const V extends readonly string[], const O extends Options>(
    values: V,
    doc: string,
    o?: O,
  ): Param<V[number], NeedOf<O>> => param({kind: 'choice', values}, doc, o),
  list: <T, const O extends Options & {nonEmpty?: true}>(
    of: Param<T>,
    doc: string,
    o?: O,
  ): Param<readonly T[], NeedOf<O>> =>
    param({kind: 'list', of: of.kind, ...(o?.nonEmpty === true ? {nonEmpty: true} : {})}, doc, o),
  object: <const S extends Params, const O extends Options>(
    params: S,
    doc: string,
    o?: O,
  ): Param<Values<S>, NeedOf<O>> => param({kind: 'object', params}, doc, o),
  /** A mapping with free keys. */
  map: <T, const O extends Options>(of: Param<T>, doc: string, o?: O): Param<Readonly<Record<string, T>>, NeedOf<O>> =>
    param({kind: 'map', of: of.kind}, doc, o),
  /** Any data; secrets inside stay Secret. */
  any: <const O extends Options>(doc: string, o?: O): Param<unknown, NeedOf<O>> => param({kind: 'any'}, doc, o),
  /** A file or folder on the controller, looked for in the role's and playbook's `folder` (default `files`) and beside the playbook. */
  /** `arguments`: a command line, whose first word is the file. */
  controllerFile: <const O extends Options & {folder?: string; arguments?: true}>(
    doc: string,
    o?: O,
  ): Param<ControllerFile, NeedOf<O>> =>
    param(
      {kind: 'controllerFile', folder: o?.folder ?? 'files', ...(o?.arguments === true ? {arguments: true} : {})},
      doc,
      o,
    ),
  /** A template on the controller (`templates/`), rendered before the plan. */
  template: <const O extends Options>(doc: string, o?: O): Param<Rendered, NeedOf<O>> =>
    param({kind: 'template'}, doc, o),
  /** The first kind that fits. */
  either: <A, B, const O extends Options>(a: Param<A>, b: Param<B>, doc: string, o?: O): Param<A | B, NeedOf<O>> =>
    param({kind: 'either', of: [a.kind, b.kind]}, doc, o),
};

/** What a kind accepts, as the end of the sentence "expected …". */
export function describeKind(kind: Kind): string {
  switch (kind.kind) {
    case 'string':
      return kind.describe ?? 'a string';
    case 'text':
      return 'text';
    case 'secret':
      return 'a secret text';
    case 'boolean':
      return 'true or false';
    case 'integer':
    case 'number': {
      const name = kind.kind === 'integer' ? 'an integer' : 'a number';
      if (kind.min !== undefined && kind.max !== undefined) return `${name} from ${kind.min} to ${kind.max}`;
      if (kind.min !== undefined) return `${name} of at least ${kind.min}`;
      return kind.max === undefined ? name : `${name} of at most ${kind.max}`;
    }
    case 'mode':
      return 'a quoted octal string such as "0644"';
    case 'path':
      return 'an absolute path';
    case 'choice':
      return kind.values.length === 1 ? `\`${kind.values[0]!}\`` : `one of ${kind.values.join(', ')}`;
    case 'list':
      return `${kind.nonEmpty === true ? 'a list with at least one element' : 'a list'}${kind.of.kind === 'any' ? '' : ` (each: ${describeKind(kind.of)})`}`;
    case 'object':
      return `a mapping with ${Object.keys(kind.params).join(', ')}`;
    case 'map':
      return 'a mapping';
    case 'any':
      return 'a value';
    case 'controllerFile':
      return 'the path of a file on the controller';
    case 'template':
      return 'the path of a template on the controller';
    case 'either':
      return kind.of.map(describeKind).join(', or ');
  }
}
