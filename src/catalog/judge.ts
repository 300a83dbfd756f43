// Judging plain values against a module's parameters, in people's words. It walks the same tree that the JSON Schema is made from; a law holds it
// to what ajv says of that schema. ajv itself takes longer to load than everything else before the first connection, and its errors would have to be
// translated into these sentences anyway.
import {isMapping} from '../base/json.ts';
import {nearestName} from '../base/nearest.ts';
import {schemaOfKind} from '../kit/json-schema.ts';
import {fits} from '../kit/lenient.ts';
import type {JsonPointer} from '../kit/problem.ts';
import {describeKind} from '../kit/schema.ts';
import type {Kind, Params} from '../kit/schema.ts';
import {isHarmless, refusedParam} from './ansible-parameters.ts';

/** A value that a parameter does not accept. `at: 'key'`: it is the name that is wrong, not the value. */
export type Misfit = {
  readonly pointer: JsonPointer;
  readonly at: 'key' | 'value';
  readonly code: 'bad-param' | 'unknown-param' | 'refused-param' | 'missing-param';
  readonly message: string;
  readonly note?: string;
  readonly help?: string;
};

export type JudgeOptions = {
  /** further names are values of the user's own */
  readonly anyKeys?: boolean;
  /** parameters that are there but not known yet: neither missing nor judged */
  readonly unknown?: ReadonlySet<string>;
};

/** Everything that is wrong with parameters after the lenient reading. `name` is how messages call the thing (`file`, `file.owner`). */
export function judgeParams(
  name: string,
  params: Params,
  values: Readonly<Record<string, unknown>>,
  options: JudgeOptions = {},
  pointer = '',
): readonly Misfit[] {
  const misfits: Misfit[] = [];
  for (const [key, value] of Object.entries(values)) {
    const at = `${pointer}/${escapePointer(key)}`;
    const param = Object.hasOwn(params, key) ? params[key] : undefined;
    if (param !== undefined) judge(param.kind, value, `${name}.${key}`, at, misfits);
    else if (options.anyKeys !== true) misfits.push(...strangeParam(name, key, value, params, at));
  }
  for (const [key, param] of Object.entries(params)) {
    if (param.need !== 'required' || Object.hasOwn(values, key) || options.unknown?.has(key) === true) continue;
    misfits.push({
      pointer,
      at: 'value',
      code: 'missing-param',
      message: `${name}: the parameter ${key} is missing`,
      help: `${key}: ${param.doc}`,
    });
  }
  return misfits;
}

/** Ansible's parameters that have no place here are named with the reason; others are not known. */
function strangeParam(
  name: string,
  key: string,
  value: unknown,
  params: Params,
  pointer: JsonPointer,
): readonly Misfit[] {
  const refused = refusedParam(name, key);
  if (refused === undefined) return [unknownParam(name, key, params, pointer)];
  if (isHarmless(refused, value)) return [];
  return [
    {
      pointer,
      at: 'key',
      code: 'refused-param',
      message: `${name}: ${key} is not supported: ${refused.why}`,
      help: refused.help,
    },
  ];
}

function unknownParam(name: string, key: string, params: Params, pointer: JsonPointer): Misfit {
  const names = Object.entries(params).flatMap(([own, param]) => [own, ...param.aliases]);
  const near = nearestName(key, names);
  const known = Object.keys(params);
  return {
    pointer,
    at: 'key',
    code: 'unknown-param',
    message: `${name}: there is no parameter ${key}`,
    ...(near !== undefined
      ? {help: `did you mean ${near}?`}
      : known.length <= 12
        ? {help: known.length === 0 ? 'it takes no parameters' : `it takes ${known.join(', ')}`}
        : {}),
  };
}

const patterns = new Map<string, RegExp>();

function matches(pattern: string, text: string): boolean {
  let compiled = patterns.get(pattern);
  if (compiled === undefined) {
    compiled = new RegExp(pattern, 'u');
    patterns.set(pattern, compiled);
  }
  return compiled.test(text);
}

const modePattern = String(schemaOfKind({kind: 'mode'})['pattern']);
const pathPattern = String(schemaOfKind({kind: 'path'})['pattern']);

function judge(kind: Kind, value: unknown, name: string, pointer: JsonPointer, into: Misfit[]): void {
  const refuse = (help?: string): void => {
    into.push({
      pointer,
      at: 'value',
      code: 'bad-param',
      message: `${name}: expected ${describeKind(kind)}`,
      note: `this is ${describeValue(value)}`,
      ...(help === undefined ? {} : {help}),
    });
  };
  switch (kind.kind) {
    case 'any':
      return;
    case 'string':
      if (typeof value !== 'string') refuse();
      else if (kind.pattern !== undefined && !matches(kind.pattern, value)) refuse();
      else if (kind.minLength !== undefined && Array.from(value).length < kind.minLength) refuse();
      return;
    case 'text':
    case 'secret':
      if (typeof value !== 'string') refuse();
      return;
    case 'controllerFile':
    case 'template':
      if (typeof value !== 'string' || value === '') refuse();
      return;
    case 'boolean':
      if (typeof value !== 'boolean') refuse();
      return;
    case 'integer':
    case 'number':
      if (
        typeof value !== 'number' ||
        !Number.isFinite(value) ||
        (kind.kind === 'integer' && !Number.isInteger(value)) ||
        (kind.min !== undefined && value < kind.min) ||
        (kind.max !== undefined && value > kind.max)
      )
        refuse();
      return;
    case 'mode':
      if (typeof value !== 'string' || !matches(modePattern, value)) refuse();
      return;
    case 'path':
      if (typeof value !== 'string' || !matches(pathPattern, value))
        refuse(
          typeof value === 'string' && value.startsWith('~')
            ? 'write the home folder out: there is no ~ on the host'
            : undefined,
        );
      return;
    case 'choice': {
      if (typeof value === 'string' && kind.values.includes(value)) return;
      const near = typeof value === 'string' ? nearestName(value, kind.values) : undefined;
      return refuse(near === undefined ? undefined : `did you mean ${near}?`);
    }
    case 'list':
      if (!Array.isArray(value) || (kind.nonEmpty === true && value.length === 0)) return refuse();
      return value.forEach((element: unknown, i) => judge(kind.of, element, `${name}[${i}]`, `${pointer}/${i}`, into));
    case 'map':
      if (!isMapping(value)) return refuse();
      for (const [key, element] of Object.entries(value))
        judge(kind.of, element, `${name}.${key}`, `${pointer}/${escapePointer(key)}`, into);
      return;
    case 'object':
      if (!isMapping(value)) return refuse();
      into.push(...judgeParams(name, kind.params, value, {}, pointer));
      return;
    case 'either': {
      const attempts = kind.of.map((one) => {
        const misfits: Misfit[] = [];
        judge(one, value, name, pointer, misfits);
        return {one, misfits};
      });
      if (attempts.some(({misfits}) => misfits.length === 0)) return;
      // where only one kind has this outer shape, what is wrong inside it is the better answer
      const shaped = attempts.filter(({one}) => fits(one, value) && (isMapping(value) || Array.isArray(value)));
      const [only, more] = shaped;
      if (only !== undefined && more === undefined) into.push(...only.misfits);
      else refuse();
    }
  }
}

/** What a value is, without showing it: it may be secret. */
function describeValue(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (isMapping(value)) return 'a mapping';
  if (typeof value === 'string') return value === '' ? 'an empty text' : 'text';
  if (typeof value === 'number') return `the number ${value}`;
  return typeof value === 'boolean' ? `the boolean ${value ? 'true' : 'false'}` : 'another kind of value';
}

/** A name as part of a JSON pointer. *source*: RFC 6901. */
export function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
