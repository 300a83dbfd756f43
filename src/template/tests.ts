// The tests behind `is`: Jinja's and Ansible's.
import {Secret} from '../base/secret.ts';
import {Unknown} from '../base/unknown.ts';
import {ansibleBoolean, isFlagged} from './boolean.ts';
import {contains, elementsOf, equal, known, order, textOf, truth} from './compare.ts';
import type {Site, Test} from './environment.ts';
import {findNamed} from './environment.ts';
import {Misuse} from './fault.ts';
import {isMapping, valueOf} from './mapping.ts';
import {arithmetic, isFloat, isInt, isNumeric} from './number.ts';
import {str, typeName} from './print.ts';
import {pythonRegex} from './regex.ts';
import {Float, Func, Thing, Undefined, Waits} from './values.ts';
import {versionHolds} from './version.ts';

function on(apply: (value: unknown) => boolean): Test {
  return {params: [], apply: (_site, value) => apply(value)};
}

function withOther(apply: (value: unknown, other: unknown) => boolean): Test {
  return {params: ['other'], apply: (_site, value, other: unknown) => apply(value, known(other))};
}

function plain(value: unknown): string {
  const text = str(value);
  return text instanceof Secret ? text.reveal() : text;
}

function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (textOf(a) !== undefined && textOf(a) === textOf(b)) return true;
  return a instanceof Float && b instanceof Float && a.value === b.value;
}

/** A field of a registered result. Waits for unknown ones; `loop` results count through their list. */
function result(value: unknown, test: string): NonNullable<ReturnType<typeof asMapping>> {
  const mapping = asMapping(value);
  if (mapping === undefined)
    throw new Misuse(`the "${test}" test expects a registered result, not ${typeName(value)}`, 'template-type');
  return mapping;
}

function asMapping(value: unknown): {get: (name: string) => unknown} | undefined {
  known(value);
  if (isMapping(value)) return {get: (name) => valueOf(value, name)};
  return value instanceof Thing ? {get: (name) => value.attribute(name)} : undefined;
}

function field(value: unknown, name: string, test: string): boolean {
  const found = result(value, test).get(name);
  if (found instanceof Unknown) throw new Waits(found);
  return found !== undefined && truth(found);
}

function skipped(value: unknown): boolean {
  return field(value, 'skipped', 'skipped');
}

function failed(value: unknown): boolean {
  return field(value, 'failed', 'failed');
}

function changed(value: unknown): boolean {
  const own = result(value, 'changed').get('changed');
  if (own === undefined) {
    const results = result(value, 'changed').get('results');
    if (Array.isArray(results)) return results.some((one) => isMapping(one) && field(one, 'changed', 'changed'));
    return false;
  }
  if (own instanceof Unknown) throw new Waits(own);
  return truth(own);
}

function regex(kind: 'search' | 'match' | 'regex'): Test {
  return {
    params: ['pattern', 'ignorecase', 'multiline', ...(kind === 'regex' ? ['match_type'] : [])],
    apply: (_site, value, pattern: unknown, ignore?: unknown, multi?: unknown, type?: unknown) => {
      const mode = kind === 'regex' ? (type === undefined ? 'search' : plain(type)) : kind;
      const source = plain(pattern ?? '');
      const flags = (isFlagged(ignore) ? 'i' : '') + (isFlagged(multi) ? 'm' : '');
      if (mode === 'search') return pythonRegex(source, flags).test(plain(value));
      const found = pythonRegex(source, `${flags}y`).exec(plain(value));
      return found !== null && (mode === 'match' || found[0] === plain(value));
    },
  };
}

const version: Test = {
  params: ['version', 'operator', 'strict', 'version_type'],
  apply: (_site, value, other: unknown, operator?: unknown, strict?: unknown, type?: unknown) => {
    const kind = type !== undefined && type !== null ? plain(type) : isFlagged(strict) ? 'strict' : 'loose';
    if (plain(value) === '') throw new Misuse('the version to compare is empty', 'bad-version');
    return versionHolds(plain(value), plain(other ?? ''), operator === undefined ? 'eq' : plain(operator), kind);
  },
};

function truthy(wanted: boolean): Test {
  return {
    params: ['convert_bool'],
    apply: (_site, value, convert?: unknown) => {
      const known =
        isFlagged(convert) && (textOf(value) !== undefined || isNumeric(value)) ? convertible(value) : value;
      return truth(known) === wanted;
    },
  };
}

function convertible(value: unknown): unknown {
  const word = plain(value).toLowerCase();
  const isWord = ['yes', 'on', '1', 'true', 'no', 'off', '0', 'false', 'y', 't', 'n', 'f', '1.0', '0.0'].includes(word);
  return isWord ? (ansibleBoolean(value) ?? false) || ['y', 't', '1.0'].includes(word) : value;
}

function file(check: (kind: string | undefined, site: Site, path: string) => boolean): Test {
  return {
    params: [],
    apply: (site, value) => {
      const {files} = site.environment;
      if (files === undefined) throw new Misuse('files of the controller cannot be read here', 'not-available');
      return check(files.kind(plain(value)), site, plain(value));
    },
  };
}

function cased(value: unknown, change: (text: string) => string): boolean {
  const text = plain(value);
  return text === change(text) && text.toLowerCase() !== text.toUpperCase();
}

function every(list: unknown, wanted: boolean): boolean {
  let waiting: Waits | undefined;
  for (const element of elementsOf(list)) {
    try {
      if (truth(element) === wanted) return true;
    } catch (cause) {
      if (!(cause instanceof Waits)) throw cause;
      waiting = cause;
    }
  }
  if (waiting !== undefined) throw waiting;
  return false;
}

function isSubset(part: unknown, whole: unknown): boolean {
  const list = elementsOf(whole);
  return elementsOf(part).every((element) => contains(list, element));
}

function parity(wanted: number): Test {
  return on((value) => {
    if (!isNumeric(value)) throw new Misuse(`a number is needed, not ${typeName(value)}`, 'template-type');
    return Number(arithmetic('%', value, 2)) === wanted;
  });
}

const equals = withOther(equal);
const differs = withOther((a, b) => !equal(a, b));
const less = withOther((a, b) => order(a, b, '<') < 0);
const atMost = withOther((a, b) => order(a, b, '<=') <= 0);
const more = withOther((a, b) => order(a, b, '>') > 0);
const atLeast = withOther((a, b) => order(a, b, '>=') >= 0);
const subset = withOther(isSubset);
const superset = withOther((whole, part) => isSubset(part, whole));
const succeeded = on((value) => !failed(value));
const hasFailed = on(failed);
const hasChanged = on(changed);
const wasSkipped = on(skipped);
const isList = (value: unknown): boolean => Array.isArray(value) || textOf(value) !== undefined || isMapping(value);

export const standardTests: readonly (readonly [string, Test])[] = [
  ['defined', {params: [], takesUndefined: true, apply: (_site, value) => !(value instanceof Undefined)}],
  ['undefined', {params: [], takesUndefined: true, apply: (_site, value) => value instanceof Undefined}],
  ['none', on((value) => value === null)],
  ['string', on((value) => textOf(value) !== undefined)],
  ['number', on(isNumeric)],
  ['integer', on(isInt)],
  ['float', on(isFloat)],
  ['boolean', on((value) => typeof value === 'boolean')],
  ['true', on((value) => value === true)],
  ['false', on((value) => value === false)],
  ['mapping', on(isMapping)],
  ['sequence', on(isList)],
  ['iterable', on(isList)],
  ['callable', on((value) => value instanceof Func)],
  ['sameas', withOther(same)],
  ['escaped', on(() => false)],
  ['in', withOther((value, list) => contains(list, value))],
  ['odd', parity(1)],
  ['even', parity(0)],
  [
    'divisibleby',
    {
      params: ['num'],
      apply: (_site, value, by: unknown) => {
        if (!isNumeric(value) || !isNumeric(by)) throw new Misuse('divisibleby needs numbers', 'template-type');
        return Number(arithmetic('%', value, by)) === 0;
      },
    },
  ],
  ['lower', on((value) => cased(value, (text) => text.toLowerCase()))],
  ['upper', on((value) => cased(value, (text) => text.toUpperCase()))],
  ['filter', {params: [], apply: (site, value) => findNamed(site.environment.filters, plain(value)) !== undefined}],
  ['test', {params: [], apply: (site, value) => findNamed(site.environment.tests, plain(value)) !== undefined}],
  ['truthy', truthy(true)],
  ['falsy', truthy(false)],
  ...(['==', 'eq', 'equalto'] as const).map((name) => [name, equals] as const),
  ...(['!=', 'ne'] as const).map((name) => [name, differs] as const),
  ...(['<', 'lt', 'lessthan'] as const).map((name) => [name, less] as const),
  ...(['<=', 'le'] as const).map((name) => [name, atMost] as const),
  ...(['>', 'gt', 'greaterthan'] as const).map((name) => [name, more] as const),
  ...(['>=', 'ge'] as const).map((name) => [name, atLeast] as const),
  ['match', regex('match')],
  ['search', regex('search')],
  ['regex', regex('regex')],
  ['version', version],
  ['version_compare', version],
  ['contains', withOther((list, value) => contains(list, value))],
  ['any', on((list) => every(list, true))],
  ['all', on((list) => !every(list, false))],
  ['subset', subset],
  ['issubset', subset],
  ['superset', superset],
  ['issuperset', superset],
  ['nan', on((value) => isFloat(value) && Number.isNaN(value))],
  ...(['succeeded', 'success', 'successful'] as const).map((name) => [name, succeeded] as const),
  ...(['failed', 'failure'] as const).map((name) => [name, hasFailed] as const),
  ...(['changed', 'change'] as const).map((name) => [name, hasChanged] as const),
  ...(['skipped', 'skip'] as const).map((name) => [name, wasSkipped] as const),
  ['unreachable', on((value) => field(value, 'unreachable', 'unreachable'))],
  ['reachable', on((value) => !field(value, 'unreachable', 'reachable'))],
  [
    'started',
    on((value) => field(value, 'started', 'started') || result(value, 'started').get('ansible_job_id') === undefined),
  ],
  [
    'finished',
    on(
      (value) => field(value, 'finished', 'finished') || result(value, 'finished').get('ansible_job_id') === undefined,
    ),
  ],
  ['vault_encrypted', on((value) => textOf(value)?.startsWith('$ANSIBLE_VAULT;') ?? false)],
  ['url', on((value) => /^[a-z][a-z\d+.-]*:\/\/[^\s/]+/i.test(textOf(value) ?? ''))],
  ['uri', on((value) => /^[a-z][a-z\d+.-]*:\S+/i.test(textOf(value) ?? ''))],
  ['urn', on((value) => /^urn:[^:\s]+:\S+/i.test(textOf(value) ?? ''))],
  ['abs', on((value) => plain(value).startsWith('/'))],
  ['exists', file((kind) => kind !== undefined)],
  ['file', file((kind) => kind === 'file')],
  ['directory', file((kind) => kind === 'directory')],
  ['link', file((_kind, site, path) => site.environment.files?.isLink(path) ?? false)],
  ['link_exists', file((_kind, site, path) => site.environment.files?.isLink(path) ?? false)],
  [
    'same_file',
    {
      params: ['other'],
      apply: (site, value, other: unknown) => {
        const {files} = site.environment;
        if (files === undefined) throw new Misuse('files of the controller cannot be read here', 'not-available');
        return files.realpath(plain(value)) === files.realpath(plain(other));
      },
    },
  ],
];
