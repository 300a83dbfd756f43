/*
 * PAM service files (pam.d(5), Linux-PAM and Debian's `@include`). A stack is kept as logical lines with their
 * exact text; edits rewrite single words in place. Jump counts (`success=1`) name their target by distance,
 * so every insertion and removal has to move them along.
 */
import {error} from '../base/diagnostic.ts';
import {bad, ok} from '../base/result.ts';
import type {Result} from '../base/result.ts';
import {insertRaw, splitLines} from './text-lines.ts';

export type PamType = 'auth' | 'account' | 'password' | 'session';

/** One rule. `quiet` is the leading `-` (a missing module is not logged); `control` is a word or `[value=action …]`, as written. */
export type PamRule = {
  readonly type: PamType;
  readonly quiet?: boolean;
  readonly control: string;
  readonly module: string;
  readonly args?: readonly string[];
};

/** Where a word stands in the raw text of its line. *units*: UTF-16 offsets, half open. */
type Word = {readonly text: string; readonly start: number; readonly end: number};

/** One logical line (continuations included) with its exact text. `other`: comments, blank and broken lines. */
export type PamLine =
  | {readonly kind: 'rule'; readonly raw: string; readonly rule: PamRule; readonly words: readonly Word[]}
  | {readonly kind: 'include'; readonly raw: string; readonly target: string}
  | {readonly kind: 'other'; readonly raw: string};

export type PamStack = {readonly lines: readonly PamLine[]};

/** Which rule is meant: every given part must agree; controls are compared by meaning. */
export type PamSelector = {
  readonly type?: PamType;
  readonly control?: string;
  readonly module: string;
  readonly args?: readonly string[];
};

export type PamPlace = {readonly after: PamSelector} | {readonly before: PamSelector} | 'end';

const types: ReadonlySet<string> = new Set(['auth', 'account', 'password', 'session']);

/** Reads a service file. Never fails: what is not a rule is kept as `other`. */
export function parsePam(text: string): PamStack {
  const lines: PamLine[] = [];
  const physical = splitLines(text);
  for (let i = 0; i < physical.length; i++) {
    let raw = physical[i] ?? '';
    // A comment ends its line, so a backslash behind `#` continues nothing.
    if (!/^\s*(#|$)/.test(raw)) {
      while (continues(physical[i] ?? '') && i + 1 < physical.length) raw += physical[++i] ?? '';
    }
    lines.push(readLine(raw));
  }
  return {lines};
}

function continues(line: string): boolean {
  return /^[^#]*\\\s*$/.test(line);
}

function readLine(raw: string): PamLine {
  const words = wordsOf(raw);
  const [first, second, third] = words;
  if (first === undefined) return {kind: 'other', raw};
  if (first.text === '@include' && second !== undefined) return {kind: 'include', raw, target: second.text};
  const type = first.text.replace(/^-/, '').toLowerCase();
  if (!types.has(type) || second === undefined || third === undefined) return {kind: 'other', raw};
  const rule: PamRule = {
    type: type as PamType,
    ...(first.text.startsWith('-') ? {quiet: true} : {}),
    control: second.text,
    module: third.text,
    ...(words.length > 3 ? {args: words.slice(3).map((word) => unbracket(word.text))} : {}),
  };
  return {kind: 'rule', raw, rule, words};
}

/** Words as libpam cuts them: blanks, `[…]` as one word with `\]` inside, everything behind `#` ignored per physical line. */
function wordsOf(raw: string): Word[] {
  const words: Word[] = [];
  let at = 0;
  while (at < raw.length) {
    const char = raw.charAt(at);
    const continuation = /^\\[ \t\r]*\n/.exec(raw.slice(at));
    if (continuation !== null) at += continuation[0].length;
    else if (/\s/.test(char)) at++;
    else if (char === '#') {
      const end = raw.indexOf('\n', at);
      at = end < 0 ? raw.length : end;
    } else {
      const end = wordEnd(raw, at);
      words.push({text: raw.slice(at, end), start: at, end});
      at = end;
    }
  }
  return words;
}

function wordEnd(raw: string, start: number): number {
  const bracket = raw.startsWith('[', start);
  for (let at = start; at < raw.length; at++) {
    const char = raw.charAt(at);
    if (char === '#') return at;
    if (bracket) {
      if (char === '\\' && raw.charAt(at + 1) === ']') at++;
      else if (char === ']') return at + 1;
    } else if (/\s/.test(char) || /^\\[ \t\r]*\n/.test(raw.slice(at))) return at;
  }
  return raw.length;
}

function unbracket(word: string): string {
  return word.startsWith('[') && word.endsWith(']') ? word.slice(1, -1).replaceAll('\\]', ']') : word;
}

function writeArg(arg: string): string {
  return /\s|^\[|^$/.test(arg) ? `[${arg.replaceAll(']', '\\]')}]` : arg;
}

/** The exact text again: `printPam(parsePam(t)) === t`. */
export function printPam(stack: PamStack): string {
  return stack.lines.map((line) => line.raw).join('');
}

/** All rules in order (`@include` lines are not rules). */
export function rulesOf(stack: PamStack): readonly PamRule[] {
  return stack.lines.flatMap((line) => (line.kind === 'rule' ? [line.rule] : []));
}

/** One rule as a line without terminator. */
export function renderRule(rule: PamRule): string {
  const type = `${rule.quiet === true ? '-' : ''}${rule.type}`;
  return `${[type, rule.control, rule.module].join('\t')}${(rule.args ?? []).map((arg) => ` ${writeArg(arg)}`).join('')}`;
}

/** A whole service file from rules, in order. `header` is a comment without `#`, one or more lines. */
export function renderPam(rules: readonly PamRule[], header?: string): string {
  const comment = header === undefined ? [] : header.split('\n').map((line) => `# ${line}`.trimEnd());
  return [...comment, ...rules.map(renderRule)].map((line) => `${line}\n`).join('');
}

// pam.conf(5) gives these as the long forms of the four words.
const longForms: Readonly<Record<string, string>> = {
  required: 'success=ok new_authtok_reqd=ok ignore=ignore default=bad',
  requisite: 'success=ok new_authtok_reqd=ok ignore=ignore default=die',
  sufficient: 'success=done new_authtok_reqd=done default=ignore',
  optional: 'success=ok new_authtok_reqd=ok default=ignore',
};

/** A control in one spelling: sorted `[value=action …]`, entries equal to the default left out, or the lower-case word (`include`, `substack`). */
export function canonicalControl(control: string): string {
  const word = control.trim().toLowerCase();
  const body = word.startsWith('[') ? word.replace(/^\[|\]$/g, '') : longForms[word];
  if (body === undefined) return word;
  const actions = new Map(
    [...body.matchAll(/([a-z_]+)\s*=\s*([a-z0-9_]+)/g)].map(([, value = '', action = '']) => [value, action]),
  );
  const fallback = actions.get('default');
  const kept = [...actions].filter(([value, action]) => value === 'default' || action !== fallback);
  return `[${kept
    .map(([value, action]) => `${value}=${action}`)
    .sort()
    .join(' ')}]`;
}

/** Whether two controls mean the same: `required` is also `[success=ok new_authtok_reqd=ok ignore=ignore default=bad]`. */
export function sameControl(a: string, b: string): boolean {
  return canonicalControl(a) === canonicalControl(b);
}

/** Whether two rules mean the same. Arguments keep their order: modules read them in sequence. */
export function sameRule(a: PamRule, b: PamRule): boolean {
  return meaningOfRule(a) === meaningOfRule(b);
}

function meaningOfRule(rule: PamRule): string {
  return JSON.stringify([rule.type, rule.quiet === true, canonicalControl(rule.control), rule.module, rule.args ?? []]);
}

/** Whether two files mean the same to libpam: per type the same rules and `@include`s in the same order; types may be interleaved differently. */
export function sameStack(a: PamStack, b: PamStack): boolean {
  return [...types].every((type) => meaningOfType(a, type) === meaningOfType(b, type));
}

function meaningOfType(stack: PamStack, type: string): string {
  return stack.lines
    .flatMap((line) => {
      if (line.kind === 'include') return [`@include ${line.target}`];
      return line.kind === 'rule' && line.rule.type === type ? [meaningOfRule(line.rule)] : [];
    })
    .join('\n');
}

/** Positions in `stack.lines` of the rules that the selector means. */
export function findRules(stack: PamStack, selector: PamSelector): readonly number[] {
  return stack.lines.flatMap((line, index) => (line.kind === 'rule' && selects(selector, line.rule) ? [index] : []));
}

function selects(selector: PamSelector, rule: PamRule): boolean {
  return (
    (selector.type === undefined || selector.type === rule.type) &&
    selector.module === rule.module &&
    (selector.control === undefined || sameControl(selector.control, rule.control)) &&
    (selector.args === undefined || JSON.stringify(selector.args) === JSON.stringify(rule.args ?? []))
  );
}

/** The stack with one more rule; jumps keep landing on the rule they landed on. Problem `pam-anchor-missing` when the place is not in the file. */
export function insertRule(stack: PamStack, rule: PamRule, place: PamPlace): Result<PamStack> {
  const index = placeIndex(stack, place);
  if (index === undefined) {
    const anchor = place === 'end' ? rule : 'after' in place ? place.after : place.before;
    return bad(error('pam-anchor-missing', `no rule with ${anchor.module} to place ${rule.module} at`));
  }
  const adjusted = adjustJumps(stack, index, rule.type, 'inserted');
  return ok({lines: insertRaw(adjusted.lines, index, [readLine(`${renderRule(rule)}\n`)])});
}

function placeIndex(stack: PamStack, place: PamPlace): number | undefined {
  if (place === 'end') {
    // The closing comment of pam-auth-update and the like stays last.
    const last = stack.lines.findLastIndex((line) => line.kind !== 'other');
    return last < 0 ? stack.lines.length : last + 1;
  }
  if ('before' in place) return findRules(stack, place.before)[0];
  const found = findRules(stack, place.after).at(-1);
  return found === undefined ? undefined : found + 1;
}

/** The stack without the rule at `index` of `lines`; jumps over it become shorter. */
export function removeRule(stack: PamStack, index: number): PamStack {
  const line = stack.lines[index];
  if (line?.kind !== 'rule') return stack;
  const adjusted = adjustJumps(stack, index, line.rule.type, 'removed');
  return {lines: adjusted.lines.toSpliced(index, 1)};
}

/** The stack with other words in the rule at `index`; blanks and a comment behind it stay. A rule that means the same is left as it is. */
export function replaceRule(stack: PamStack, index: number, rule: PamRule): PamStack {
  const line = stack.lines[index];
  if (line?.kind !== 'rule' || sameRule(line.rule, rule)) return stack;
  const old = line.rule;
  const edits: [start: number, end: number, text: string][] = [];
  const [type, control, module] = line.words;
  if (type === undefined || control === undefined || module === undefined) return stack;
  if (old.type !== rule.type || (old.quiet ?? false) !== (rule.quiet ?? false)) {
    edits.push([type.start, type.end, `${rule.quiet === true ? '-' : ''}${rule.type}`]);
  }
  if (!sameControl(old.control, rule.control)) edits.push([control.start, control.end, rule.control]);
  if (old.module !== rule.module) edits.push([module.start, module.end, rule.module]);
  const args = (rule.args ?? []).map(writeArg).join(' ');
  if (JSON.stringify(old.args ?? []) !== JSON.stringify(rule.args ?? [])) {
    const firstArg = line.words[3];
    const end = line.words.at(-1)?.end ?? module.end;
    if (firstArg !== undefined && args !== '') edits.push([firstArg.start, end, args]);
    else edits.push([module.end, end, args === '' ? '' : ` ${args}`]);
  }
  return {lines: stack.lines.with(index, readLine(editText(line.raw, edits)))};
}

function editText(raw: string, edits: readonly [start: number, end: number, text: string][]): string {
  let out = raw;
  for (const [start, end, text] of edits.toSorted((a, b) => b[0] - a[0]))
    out = out.slice(0, start) + text + out.slice(end);
  return out;
}

/** The file as if it were one type only: positions of its rules and of includes, in order. */
function sequenceOf(stack: PamStack, type: PamType): readonly number[] {
  return stack.lines.flatMap((line, index) =>
    line.kind === 'include' || (line.kind === 'rule' && line.rule.type === type) ? [index] : [],
  );
}

function isInclude(line: PamLine | undefined): boolean {
  return line?.kind === 'include' || (line?.kind === 'rule' && line.rule.control.toLowerCase() === 'include');
}

/**
 * The stack with the jump counts that a rule of `type` inserted before, or removed from, position `index` of `lines` demands.
 * A jump that reaches over an include is left alone: how many rules it skips is not known from this file.
 */
export function adjustJumps(stack: PamStack, index: number, type: PamType, change: 'inserted' | 'removed'): PamStack {
  const sequence = sequenceOf(stack, type);
  const place = sequence.filter((position) => position < index).length;
  const lines = stack.lines.map((line, position): PamLine => {
    const from = sequence.indexOf(position);
    if (line.kind !== 'rule' || from < 0 || from >= place) return line;
    if (sequence.slice(from + 1, place).some((between) => isInclude(stack.lines[between]))) return line;
    return withJumps(line, (skipped) => {
      const target = from + skipped + 1;
      // Landing behind the last rule has no rule to keep: there the skipped rules are what is meant.
      if (change === 'inserted') return target >= place && place < sequence.length ? skipped + 1 : skipped;
      return target > place ? skipped - 1 : skipped;
    });
  });
  return {lines};
}

function withJumps(line: PamLine & {kind: 'rule'}, count: (skipped: number) => number): PamLine {
  const word = line.words[1];
  if (word?.text.startsWith('[') !== true) return line;
  const control = word.text.replace(
    /([A-Za-z_]+)(\s*=\s*)(\d+)/g,
    (whole, value: string, equals: string, digits: string) => {
      const skipped = Number(digits);
      if (skipped === 0) return whole;
      const now = count(skipped);
      // libpam reads a jump over nothing as `ignore`; a success must keep counting.
      if (now === 0) return `${value}${equals}${/^(success|new_authtok_reqd)$/i.test(value) ? 'ok' : 'ignore'}`;
      return now === skipped ? whole : `${value}${equals}${now}`;
    },
  );
  return control === word.text ? line : readLine(line.raw.slice(0, word.start) + control + line.raw.slice(word.end));
}

/** A jump that cannot be trusted: `past-end` makes libpam deny, `over-include` skips a number of rules this file does not tell. */
export type JumpProblem = {
  readonly kind: 'past-end' | 'over-include';
  /** position in `lines` */
  readonly index: number;
  readonly rule: PamRule;
  readonly skipped: number;
};

/** Jumps past the end of their type, or over includes. Empty: all is well. */
export function jumpProblems(stack: PamStack): readonly JumpProblem[] {
  return stack.lines.flatMap((line, index) => {
    if (line.kind !== 'rule') return [];
    const sequence = sequenceOf(stack, line.rule.type);
    const rest = sequence.slice(sequence.indexOf(index) + 1);
    return jumpsOf(line.rule.control).flatMap((skipped): JumpProblem[] => {
      if (rest.slice(0, skipped).some((position) => isInclude(stack.lines[position]))) {
        return [{kind: 'over-include', index, rule: line.rule, skipped}];
      }
      return skipped > rest.length ? [{kind: 'past-end', index, rule: line.rule, skipped}] : [];
    });
  });
}

/** The jump counts of a control, in order: `[success=2 default=ignore]` gives 2. */
export function jumpsOf(control: string): readonly number[] {
  if (!control.startsWith('[')) return [];
  return [...control.matchAll(/=\s*(\d+)/g)].map(([, digits]) => Number(digits)).filter((skipped) => skipped > 0);
}

export type PamOwner = 'pam-auth-update' | 'pam-config' | 'authselect' | 'authconfig';

/** The tool that writes this file anew and would lose, or be broken by, an edit; undefined for a file that people own. */
export function ownerOf(text: string): PamOwner | undefined {
  const comments = splitLines(text)
    .filter((line) => line.trimStart().startsWith('#'))
    .join('');
  if (/managed by pam-auth-update|here are the per-package modules \(the "Primary" block\)/.test(comments))
    return 'pam-auth-update';
  if (/autogenerated by pam-config/i.test(comments)) return 'pam-config';
  if (/generated by authselect|authselect profile/i.test(comments)) return 'authselect';
  if (/next time authconfig is run/i.test(comments)) return 'authconfig';
  return undefined;
}
