// The text of a plan file: JSON, one task a line. People read it by `tsplay show`; programs by its schema (`tsplay schema plan`). Everything that may
// be read stands in clear, with secrets hidden; what is applied is sealed, and with it a digest of every clear line, so that an edit is found and located.
import {error, type Diagnostic, type Source, type Span} from '../base/diagnostic.ts';
import {isMapping} from '../base/json.ts';
import {bad, ok, type Result} from '../base/result.ts';
import {digestOf, type Sealed} from './plan-seal.ts';

/** The version of the format. */
export const planFormat = 1;

/** What may be read of a plan by everybody who has the file. */
export type PlanHead = {
  readonly tsplayPlan: number;
  readonly made: {readonly id: string; readonly at: string; readonly by: string; readonly version: string};
  readonly site: {
    readonly folder: string;
    readonly playbooks: readonly string[];
    readonly inventories: readonly string[];
    readonly limit: readonly string[];
    readonly tags: readonly string[];
    readonly skipTags: readonly string[];
  };
  readonly run: Readonly<Record<string, unknown>>;
  readonly hosts: Readonly<Record<string, unknown>>;
  readonly tasks: readonly unknown[];
  readonly problems: readonly unknown[];
};

/** A plan file, taken apart but not opened. */
export type PlanText = {readonly head: PlanHead; readonly sealed: Sealed; readonly source: Source};

const sealedLine = '"sealed": {';

/** The clear lines of a plan. */
export function headLines(head: PlanHead): readonly string[] {
  const line = (name: keyof PlanHead): string => `${JSON.stringify(name)}: ${JSON.stringify(head[name])},`;
  const list = (name: 'tasks' | 'problems'): string[] => [
    `${JSON.stringify(name)}: [`,
    ...head[name].map((one, i) => `${JSON.stringify(one)}${i < head[name].length - 1 ? ',' : ''}`),
    '],',
  ];
  return [
    '{',
    line('tsplayPlan'),
    line('made'),
    line('site'),
    line('run'),
    line('hosts'),
    ...list('tasks'),
    ...list('problems'),
  ];
}

/** The whole file. */
export function printPlan(lines: readonly string[], sealed: Sealed): string {
  const rest = [
    sealedLine,
    `"shares": ${JSON.stringify(sealed.shares)},`,
    `"data": ${JSON.stringify(sealed.data)}`,
    '}}',
    '',
  ];
  return [...lines, ...rest].join('\n');
}

/** What is sealed with the clear lines, so that they can be held against it. */
export function lineDigests(lines: readonly string[]): readonly string[] {
  return lines.map(digestOf);
}

/** What the sealing is bound to besides: a sealed part cannot be put into another plan. */
export function contextOf(head: PlanHead): string {
  return `tsplay plan ${head.tsplayPlan} ${head.made.id}`;
}

/** Takes a plan file apart. *errors*: `not-a-plan`, `plan-newer`, `plan-damaged`, each at its place. */
export function parsePlan(source: Source): Result<PlanText> {
  const {path, text} = source;
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (cause) {
    const looksLike = text.startsWith('{\n"tsplayPlan":');
    return looksLike
      ? bad(
          error('plan-damaged', 'this plan is cut off, or was altered', {
            span: placeOfFault(source, cause),
            help: 'make the plan again',
          }),
        )
      : notAPlan(source);
  }
  if (!isMapping(data) || !('tsplayPlan' in data)) return notAPlan(source);
  if (data['tsplayPlan'] !== planFormat) {
    const span = spanOf(source, '"tsplayPlan"');
    const isNewer = typeof data['tsplayPlan'] === 'number' && data['tsplayPlan'] > planFormat;
    if (!isNewer)
      return bad(error('plan-damaged', 'the format of this plan is not known', {span, help: 'make the plan again'}));
    const message = `${path} is a plan in format ${String(data['tsplayPlan'])}; this tsplay knows format ${planFormat}`;
    return bad(
      error('plan-newer', message, {span, help: 'use the tsplay that made it, or make the plan again with this one'}),
    );
  }
  const fault = faultOf(data);
  if (fault !== undefined)
    return bad(
      error('plan-damaged', `this plan was altered: ${fault}`, {
        span: spanOf(source, `"${fault.split(' ')[0] ?? ''}"`),
        help: 'make the plan again',
      }),
    );
  const {sealed, ...head} = data as unknown as PlanHead & {sealed: Sealed};
  return ok({head, sealed, source});
}

/** Holds the clear lines against the sealed digests. Gives every line that is not as it was written. */
export function editedLines(plan: PlanText, digests: readonly string[]): readonly Diagnostic[] {
  const {text} = plan.source;
  const end = text.lastIndexOf(`\n${sealedLine}`);
  const lines = (end < 0 ? text : text.slice(0, end)).split('\n');
  const found: Diagnostic[] = [];
  let start = 0;
  for (const [i, line] of lines.entries()) {
    if (digestOf(line) !== digests[i]) {
      const span: Span = {source: plan.source, start, end: start + Math.min(line.length, 60)};
      const help = 'a plan is applied as it was made, or not at all: make it again';
      found.push(error('plan-edited', 'this line was edited after the plan was made', {span, help}));
      // after a line that is new or gone everything is out of step
      if (lines.length !== digests.length) break;
    }
    start += line.length + 1;
  }
  if (found.length === 0 && lines.length !== digests.length)
    found.push(
      error('plan-edited', 'lines were taken away from this plan', {
        span: {source: plan.source, start: 0, end: 1},
        help: 'make it again',
      }),
    );
  return found;
}

function notAPlan<T>(source: Source): Result<T> {
  const span = {source, start: 0, end: Math.min(1, source.text.length)};
  return bad(
    error('not-a-plan', `${source.path} is not a plan that tsplay made`, {
      span,
      help: 'plans are made by `tsplay plan PLAYBOOK… -o FILE`',
    }),
  );
}

function faultOf(data: Readonly<Record<string, unknown>>): string | undefined {
  for (const name of ['made', 'site', 'run', 'hosts', 'sealed'])
    if (!isMapping(data[name])) return `${name} is missing or no mapping`;
  for (const name of ['tasks', 'problems']) if (!Array.isArray(data[name])) return `${name} is missing or no list`;
  const made = data['made'] as Record<string, unknown>;
  const site = data['site'] as Record<string, unknown>;
  const sealed = data['sealed'] as Record<string, unknown>;
  for (const name of ['id', 'at', 'by', 'version']) if (typeof made[name] !== 'string') return `made has no ${name}`;
  if (typeof site['folder'] !== 'string') return 'site has no folder';
  for (const name of ['playbooks', 'inventories', 'limit', 'tags', 'skipTags'])
    if (!Array.isArray(site[name])) return `site has no ${name}`;
  if (!Array.isArray(sealed['shares']) || sealed['shares'].length === 0) return 'sealed has no shares';
  if (!sealed['shares'].every(isShare)) return 'sealed has a share of an unknown kind';
  return typeof sealed['data'] === 'string' ? undefined : 'sealed has no data';
}

function isShare(share: unknown): boolean {
  if (!isMapping(share)) return false;
  const texts =
    share['with'] === 'vault' ? ['id', 'vault'] : share['with'] === 'controller' ? ['controller', 'share'] : [''];
  return texts.every((name) => typeof share[name] === 'string');
}

function spanOf(source: Source, word: string): Span {
  // each key begins a line
  const start = source.text.indexOf(`\n${word}`) + 1;
  return {source, start, end: Math.min(source.text.length, start + word.length)};
}

/** V8 says where JSON ends to be JSON, in words. */
function placeOfFault(source: Source, cause: unknown): Span {
  const found = /position (\d+)/.exec(cause instanceof Error ? cause.message : '')?.[1];
  const start = Math.min(found === undefined ? source.text.length : Number(found), Math.max(0, source.text.length - 1));
  return {source, start, end: Math.min(source.text.length, start + 1)};
}
