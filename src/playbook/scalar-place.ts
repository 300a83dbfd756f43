// Templates report mistakes as offsets in the value they were given; people need the place in the file. Between the two lie escapes, folded lines
// and block indentation. The way from source to value is walked once more, only for a scalar with a mistake in it.
import {CHOMPING_MODE} from 'js-yaml';
import type {ScalarEvent} from 'js-yaml';
import type {Span} from '../base/diagnostic.ts';
import type {ScalarNode} from './node.ts';

/** How a scalar lies in its source. *units*: UTF-16 offsets; `indent` in columns, of block scalars. */
type Layout = {
  readonly form: 'plain' | 'single' | 'double' | 'literal' | 'folded';
  readonly start: number;
  readonly end: number;
  readonly indent: number;
  readonly chomping: 'clip' | 'strip' | 'keep';
};

const layouts = new WeakMap<ScalarNode, Layout>();
const forms = {1: 'plain', 2: 'single', 3: 'double', 4: 'literal', 5: 'folded'} as const;

/** Keeps what {@link spanWithin} needs later. Scalars whose value is their text need nothing. */
export function rememberLayout(node: ScalarNode, event: ScalarEvent): void {
  if (event.fast) return;
  const chomping =
    event.chomping === CHOMPING_MODE.STRIP ? 'strip' : event.chomping === CHOMPING_MODE.KEEP ? 'keep' : 'clip';
  layouts.set(node, {
    form: forms[event.style],
    start: event.valueStart,
    end: event.valueEnd,
    indent: event.indent,
    chomping,
  });
}

/**
 * The place of a part of a scalar's value (*units*: UTF-16 offsets in the value, half open). Where the way back to the source
 * is not known (an alias of a tag's value, a number) it is the whole scalar.
 */
export function spanWithin(scalar: ScalarNode, start: number, end: number): Span {
  const {value, span} = scalar;
  if (typeof value !== 'string') return span;
  const layout = layouts.get(scalar);
  const walked = layout === undefined ? direct(scalar, value) : walk(span.source.text, layout);
  if (walked?.value !== value) return span;
  const from = walked.offsets[Math.min(start, value.length)];
  const to = end > start ? walked.offsets[Math.min(end, value.length) - 1] : from;
  if (from === undefined || to === undefined) return span;
  if (end <= start) return {source: span.source, start: from, end: from};
  const past = walked.offsets[Math.min(end, value.length)] ?? to + 1;
  // an escape like \n or '' is longer than what it stands for; a folded line break is not part of the last character
  const length = layout?.form === 'double' || layout?.form === 'single' ? Math.max(1, past - to) : 1;
  return {source: span.source, start: from, end: Math.max(from, to + (length > 12 ? 1 : length))};
}

type Walked = {readonly value: string; readonly offsets: readonly number[]};

function direct(scalar: ScalarNode, value: string): Walked | undefined {
  const {start, source} = scalar.span;
  const first = scalar.style === 'plain' ? start : start + 1;
  if (scalar.style === 'block' || source.text.slice(first, first + value.length) !== value) return undefined;
  return {value, offsets: Array.from({length: value.length + 1}, (_, i) => first + i)};
}

function walk(text: string, layout: Layout): Walked {
  const out = new Trail();
  if (layout.form === 'literal' || layout.form === 'folded') walkBlock(text, layout, out);
  else walkFlow(text, layout, out);
  out.offsets.push(layout.end);
  return out;
}

class Trail {
  value = '';
  readonly offsets: number[] = [];

  add(piece: string, offset: number): void {
    this.value += piece;
    for (let i = 0; i < piece.length; i++) this.offsets.push(offset);
  }

  trim(): void {
    const kept = this.value.replace(/[ \t]+$/, '').length;
    this.value = this.value.slice(0, kept);
    this.offsets.length = kept;
  }
}

const escapes: Readonly<Record<string, string>> = {
  '0': '\0',
  a: '\x07',
  b: '\b',
  t: '\t',
  '\t': '\t',
  n: '\n',
  v: '\v',
  f: '\f',
  r: '\r',
  e: '\x1b',
  ' ': ' ',
  '"': '"',
  '/': '/',
  '\\': '\\',
  N: '\x85',
  _: '\xa0',
  L: '\u2028',
  P: '\u2029',
};

/** Plain and quoted scalars: one line break is a space, further ones stay; blanks around them go. */
function walkFlow(text: string, layout: Layout, out: Trail): void {
  let protectedLength = 0;
  for (let i = layout.start; i < layout.end;) {
    const c = text[i] ?? '';
    if (c === '\n' || c === '\r') {
      const kept = out.value.slice(0, protectedLength);
      out.trim();
      if (out.value.length < protectedLength) out.add(kept.slice(out.value.length), i - 1);
      let breaks = 0;
      const at = i;
      while (i < layout.end && /[\s]/.test(text[i] ?? '')) {
        if (text[i] === '\n' || (text[i] === '\r' && text[i + 1] !== '\n')) breaks++;
        i++;
      }
      out.add(breaks === 1 ? ' ' : '\n'.repeat(breaks - 1), at);
      protectedLength = out.value.length;
      continue;
    }
    if (layout.form === 'single' && c === "'") {
      out.add("'", i);
      i += 2;
      continue;
    }
    if (layout.form === 'double' && c === '\\') {
      const next = text[i + 1] ?? '';
      const at = i;
      const digits = next === 'x' ? 2 : next === 'u' ? 4 : next === 'U' ? 8 : 0;
      if (digits > 0) {
        out.add(String.fromCodePoint(parseInt(text.slice(i + 2, i + 2 + digits), 16)), at);
        i += 2 + digits;
      } else if (next === '\n' || next === '\r') {
        i += 2;
        if (next === '\r' && text[i] === '\n') i++;
        let breaks = 0;
        while (i < layout.end && /[\s]/.test(text[i] ?? '')) {
          if (text[i] === '\n') breaks++;
          i++;
        }
        out.add('\n'.repeat(breaks), at);
      } else {
        out.add(escapes[next] ?? next, at);
        i += 2;
      }
      protectedLength = out.value.length;
      continue;
    }
    out.add(c, i);
    i++;
  }
}

/** Literal (`|`) and folded (`>`) scalars. *source*: YAML 1.2.2, sections 8.1.1 to 8.1.3. */
function walkBlock(text: string, layout: Layout, out: Trail): void {
  type Line = {start: number; text: string; breakAt: number};
  const lines: Line[] = [];
  for (let i = layout.start; i < layout.end;) {
    const found = text.indexOf('\n', i);
    const breakAt = found < 0 || found >= layout.end ? layout.end : found;
    const end = text[breakAt - 1] === '\r' ? breakAt - 1 : breakAt;
    const blanks = /^ */.exec(text.slice(i, end))?.[0].length ?? 0;
    const skip = Math.min(layout.indent < 0 ? blanks : layout.indent, blanks);
    lines.push({start: i + skip, text: text.slice(i + skip, end), breakAt});
    i = breakAt + 1;
  }
  let last = lines.length - 1;
  while (last >= 0 && lines[last]?.text === '') last--;
  let pending: number[] = [];
  let previousMore = false;
  let begun = false;
  for (const line of lines.slice(0, last + 1)) {
    if (line.text === '') {
      pending.push(line.breakAt);
      continue;
    }
    const more = line.text.startsWith(' ') || line.text.startsWith('\t');
    if (layout.form === 'literal' || !begun || more || previousMore) for (const at of pending) out.add('\n', at);
    else if (pending.length === 1) out.add(' ', pending[0] ?? 0);
    else for (const at of pending.slice(1)) out.add('\n', at);
    for (let i = 0; i < line.text.length; i++) out.add(line.text[i] ?? '', line.start + i);
    pending = [line.breakAt];
    previousMore = more;
    begun = true;
  }
  const tail = lines.slice(last + 1).map((line) => line.breakAt);
  if (layout.chomping === 'clip' && begun) out.add('\n', pending[0] ?? layout.end);
  if (layout.chomping === 'keep') for (const at of [...(begun ? pending : []), ...tail]) out.add('\n', at);
}
