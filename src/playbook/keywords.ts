// Keywords of one mapping, joined with those of everything around it. Inheritance is resolved here, once, for static and dynamic includes alike.
import {error} from '../base/diagnostic.ts';
import type {Diagnostic} from '../base/diagnostic.ts';
import {looksLikeTemplate} from '../template/template.ts';
import {describeKeywordKind} from './keyword-table.ts';
import type {KeywordKind} from './keyword-table.ts';
import {child} from './node.ts';
import type {Entry, MapNode, Node} from './node.ts';
import type {Keywords} from './program.ts';

type Report = (problem: Diagnostic) => void;

/** Keywords of which none is given. */
export const noKeywords: Keywords = {
  when: [],
  tags: [],
  loop: undefined,
  register: undefined,
  notify: undefined,
  listen: [],
  become: undefined,
  becomeUser: undefined,
  becomeMethod: undefined,
  ignoreErrors: undefined,
  ignoreUnreachable: undefined,
  changedWhen: undefined,
  failedWhen: undefined,
  noLog: undefined,
  checkMode: undefined,
  diff: undefined,
  delegateTo: undefined,
  delegateFacts: undefined,
  runOnce: undefined,
  environment: [],
  until: undefined,
  retries: undefined,
  delay: undefined,
  throttle: undefined,
  anyErrorsFatal: undefined,
  timeout: undefined,
  remoteUser: undefined,
  connection: undefined,
  port: undefined,
  control: undefined,
};

/** Whether a value is a text with a template in it: what it gives is known only on the host. */
export function isTemplate(node: Node | undefined): boolean {
  return (
    node?.kind === 'scalar' && typeof node.value === 'string' && node.tag !== '!unsafe' && looksLikeTemplate(node.value)
  );
}

/** A value that is there: not missing, not null. */
export function given(node: Node | undefined): Node | undefined {
  return node === undefined || (node.kind === 'scalar' && node.value === null && node.tag === undefined)
    ? undefined
    : node;
}

/**
 * What a mapping's keywords make of those around it. `when`, `tags` and `environment` add up, outermost first; the others replace.
 * Keywords that belong to one task only (`register`, `loop`, …) are never inherited; `loop` is read by its own file.
 */
export function keywordsOf(map: MapNode, around: Keywords): Keywords {
  const get = (key: string): Node | undefined => given(child(map, key));
  const list = (key: string): readonly Node[] => listOf(get(key));
  const optional = (key: string): readonly Node[] | undefined => (get(key) === undefined ? undefined : list(key));
  return {
    when: [...around.when, ...list('when')],
    tags: [...new Set([...around.tags, ...namesOf(get('tags'))])],
    loop: undefined,
    register: textOf(get('register')),
    notify: get('notify') ?? around.notify,
    listen: namesOf(get('listen')),
    become: get('become') ?? around.become,
    becomeUser: get('become_user') ?? around.becomeUser,
    becomeMethod: get('become_method') ?? around.becomeMethod,
    ignoreErrors: get('ignore_errors') ?? around.ignoreErrors,
    ignoreUnreachable: get('ignore_unreachable') ?? around.ignoreUnreachable,
    changedWhen: optional('changed_when'),
    failedWhen: optional('failed_when'),
    noLog: get('no_log') ?? around.noLog,
    checkMode: get('check_mode') ?? around.checkMode,
    diff: get('diff') ?? around.diff,
    delegateTo: get('delegate_to') ?? around.delegateTo,
    delegateFacts: get('delegate_facts') ?? around.delegateFacts,
    runOnce: get('run_once') ?? around.runOnce,
    environment: [...around.environment, ...list('environment')],
    until: optional('until'),
    retries: get('retries'),
    delay: get('delay'),
    throttle: get('throttle') ?? around.throttle,
    anyErrorsFatal: get('any_errors_fatal') ?? around.anyErrorsFatal,
    timeout: get('timeout') ?? get('async') ?? around.timeout,
    remoteUser: get('remote_user') ?? get('user') ?? around.remoteUser,
    connection: get('connection') ?? around.connection,
    port: get('port') ?? around.port,
    control: get('control') ?? around.control,
  };
}

/** The elements of a list, or the one value. */
export function listOf(node: Node | undefined): readonly Node[] {
  if (node === undefined) return [];
  return node.kind === 'list' ? node.items : [node];
}

/** The text of a scalar, numbers as they are written. */
export function textOf(node: Node | undefined): string | undefined {
  if (node?.kind !== 'scalar' || node.value === null || typeof node.value === 'object') return undefined;
  return typeof node.value === 'string' ? node.value : node.raw;
}

/** Names in a list, or separated by commas. */
export function namesOf(node: Node | undefined): readonly string[] {
  return listOf(node)
    .flatMap((item) => (isTemplate(item) ? [textOf(item) ?? ''] : (textOf(item) ?? '').split(',')))
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** Variables of a `vars:` value: a mapping, or a list of mappings. */
export function variablesIn(node: Node | undefined): ReadonlyMap<string, Node> {
  const maps = listOf(given(node)).filter((item) => item.kind === 'map');
  return new Map(maps.flatMap((map) => map.entries.map((entry) => [entry.key, entry.value] as const)));
}

const truthWords = /^(?:true|false|yes|no|on|off|y|n|t|f|0|1)$/i;

/** Reports values that a keyword cannot have, as far as that can be seen without evaluating them. */
export function checkKeyword(entry: Entry, kind: KeywordKind, report: Report): void {
  const node = given(entry.value);
  // lists of tasks are judged where they are read, in files too
  if (kind === 'parts' && entry.key !== 'roles') return;
  if (node === undefined || (isTemplate(node) && kind !== 'identifier') || fitsKeyword(node, kind)) return;
  report(
    error('bad-keyword', `${entry.key}: expected ${describeKeywordKind(kind)}`, {
      span: node.span,
      ...helpFor(entry, node, kind),
    }),
  );
}

function helpFor({key}: Entry, node: Node, kind: KeywordKind): {help?: string} {
  if (kind === 'names' && node.kind === 'map') return {help: `${key}: [a, b]`};
  if (kind !== 'parts') return {};
  const name = textOf(node);
  return {help: name === undefined ? 'each role begins with a dash: `- ROLE`' : `roles: [${name}]`};
}

function fitsKeyword(node: Node, kind: KeywordKind): boolean {
  const scalar = node.kind === 'scalar' ? node.value : undefined;
  switch (kind) {
    case 'truth':
      return typeof scalar === 'boolean' || (node.kind === 'scalar' && truthWords.test(node.raw));
    case 'number':
      return typeof scalar === 'number' || (typeof scalar === 'string' && /^\s*-?\d+(?:\.\d+)?%?\s*$/.test(scalar));
    case 'text':
      return node.kind === 'scalar';
    case 'identifier':
      return typeof scalar === 'string' && /^[A-Za-z_]\w*$/.test(scalar);
    case 'conditions':
      return node.kind === 'scalar' || (node.kind === 'list' && node.items.every((item) => item.kind === 'scalar'));
    case 'mapping':
      return node.kind === 'map';
    case 'mappings':
      return (
        node.kind === 'map' ||
        (node.kind === 'list' && node.items.every((item) => item.kind === 'map' || isTemplate(item)))
      );
    case 'names':
      return node.kind === 'scalar' || (node.kind === 'list' && node.items.every((item) => item.kind === 'scalar'));
    case 'parts':
      return node.kind === 'list';
    case 'size':
      return (
        node.kind !== 'map' &&
        listOf(node).every(
          (item) => isTemplate(item) || (item.kind === 'scalar' && /^[1-9]\d*(?:\.\d+)?%?$/.test(item.raw.trim())),
        )
      );
    case 'method':
      return typeof scalar === 'string' && ['sudo', 'su', 'doas'].includes(scalar.replace(/^ansible\.builtin\./, ''));
    case 'files':
      return (
        node.kind !== 'map' &&
        listOf(node).every(
          (item) =>
            item.kind === 'scalar' || (item.kind === 'list' && item.items.every(({kind: each}) => each === 'scalar')),
        )
      );
    case 'count':
      return fitsKeyword(node, 'number') && !(typeof scalar === 'number' && scalar < 0);
    // its own file says what is wrong with it
    case 'control':
    case 'any':
      return true;
  }
}
