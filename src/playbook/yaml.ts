// YAML texts become trees of nodes that know their places. The tokens come from js-yaml's event layer; everything that has to do with meaning
// (tags, anchors, merge keys, duplicate keys, limits) happens here, because each of these must be able to point at the user's text.
import {getScalarValue, parseEvents, YAMLException} from 'js-yaml';
import type {Event, ScalarEvent} from 'js-yaml';
import {error} from '../base/diagnostic.ts';
import type {Diagnostic, Source, Span} from '../base/diagnostic.ts';
import {placeOf} from '../base/diagnostic.ts';
import type {Entry, Node, ScalarNode} from './node.ts';
import {rememberLayout} from './scalar-place.ts';
import {resolvePlain, resolveTagged} from './yaml-core.ts';
import {loosen} from './yaml-loose.ts';
import {explainSyntax, quoteHelp} from './yaml-mistakes.ts';
import type {Repair} from './yaml-mistakes.ts';

/** What became of a YAML text. `documents` holds what could be read in spite of the problems, so that later checks find the rest in the same run. */
export type Parsed = {
  readonly documents: readonly Node[];
  /** the first document; undefined for an empty text */
  readonly node: Node | undefined;
  readonly problems: readonly Diagnostic[];
};

/** *units*: UTF-16 units, levels, nodes after aliases are followed. Far above any real site, far below what hurts. */
const limits = {textLength: 64 * 1024 * 1024, depth: 100, expandedNodes: 5_000_000, syntaxErrors: 50};

/** Parses a YAML text (YAML 1.2 core schema, merge keys, `!vault`, `!unsafe`); reports as many mistakes as can be told apart. */
export function parseYaml(source: Source): Parsed {
  if (source.text.length > limits.textLength) {
    const problem = error('yaml-too-large', `${source.path} is larger than ${limits.textLength / 1024 / 1024} MiB`, {
      span: {source, start: 0, end: 0},
    });
    return {documents: [], node: undefined, problems: [problem]};
  }
  const {events, text, repairs, problems} = readEvents(source);
  const documents = new Composer(source, text, events, repairs, problems).documents();
  problems.sort((a, b) => (a.span?.start ?? 0) - (b.span?.start ?? 0));
  return {documents, node: documents[0], problems};
}

/** Events of the longest readable text: a mistake whose meaning is clear is reported, replaced by something harmless of the same length, and read again. */
function readEvents(source: Source): {
  events: Event[];
  text: string;
  repairs: Map<number, Repair>;
  problems: Diagnostic[];
} {
  let text = source.text;
  const repairs = new Map<number, Repair>();
  const problems: Diagnostic[] = [];
  for (;;) {
    try {
      return {events: parseEvents(text, {maxDepth: limits.depth}), text, repairs, problems};
    } catch (cause) {
      if (!(cause instanceof YAMLException)) throw cause;
      const loose = cause.reason.startsWith('deficient indentation')
        ? loosen(text, cause.mark?.position ?? 0)
        : undefined;
      if (loose !== undefined) {
        if (loose.repair !== undefined) repairs.set(loose.repair.start, loose.repair);
        ({text} = loose);
        continue;
      }
      const {problem, repair} = explainSyntax(source, text, cause.reason, cause.mark?.position ?? 0);
      problems.push(problem);
      if (repair === undefined || problems.length >= limits.syntaxErrors) return {events: [], text, repairs, problems};
      repairs.set(repair.start, repair);
      text = text.slice(0, repair.start) + 'x'.repeat(repair.end - repair.start) + text.slice(repair.end);
    }
  }
}

type Key = {text: string; span: Span; merge: boolean};
type Anchored = {node: Node | undefined};

class Composer {
  readonly #source: Source;
  readonly #text: string;
  readonly #events: readonly Event[];
  readonly #repairs: ReadonlyMap<number, Repair>;
  readonly #problems: Diagnostic[];
  #anchors = new Map<string, Anchored>();
  readonly #sizes = new WeakMap<Node, number>();
  readonly #depths = new WeakMap<Node, number>();
  #expanded = 0;
  #at = 0;
  /** where the last token ended: empty values and closing brackets lie behind it */
  #last = 0;

  constructor(
    source: Source,
    text: string,
    events: readonly Event[],
    repairs: ReadonlyMap<number, Repair>,
    problems: Diagnostic[],
  ) {
    this.#source = source;
    this.#text = text;
    this.#events = events;
    this.#repairs = repairs;
    this.#problems = problems;
  }

  documents(): Node[] {
    const documents: Node[] = [];
    while (this.#at < this.#events.length) {
      this.#at++;
      this.#anchors = new Map();
      this.#expanded = 0;
      if (this.#events[this.#at]?.type !== 6) documents.push(this.#node(false));
      this.#at++;
    }
    return documents;
  }

  #span(start: number, end: number): Span {
    return {source: this.#source, start, end};
  }

  #node(unsafe: boolean): Node {
    const event = this.#events[this.#at++];
    switch (event?.type) {
      case 4:
        return this.#scalar(event, unsafe);
      case 5:
        return this.#alias(event.anchorStart, event.anchorEnd);
      case 2:
      case 3: {
        const anchored = this.#anchor(event.anchorStart, event.anchorEnd);
        const marked = unsafe || this.#collectionTag(event.tagStart, event.tagEnd);
        this.#last = Math.max(this.#last, event.start + (event.style === 2 ? 1 : 0));
        const node =
          event.type === 2
            ? this.#list(event.start, event.style === 2, marked)
            : this.#map(event.start, event.style === 2, marked);
        if (anchored !== undefined) anchored.node = node;
        return node;
      }
      default:
        throw new Error('the YAML events are out of order');
    }
  }

  #anchor(start: number, end: number): Anchored | undefined {
    if (start < 0) return undefined;
    const anchored: Anchored = {node: undefined};
    this.#anchors.set(this.#text.slice(start, end), anchored);
    this.#last = Math.max(this.#last, end);
    return anchored;
  }

  /** Whether the tag marks everything inside as never a template. */
  #collectionTag(start: number, end: number): boolean {
    if (start < 0) return false;
    const tag = shortTag(this.#text.slice(start, end));
    if (tag === '!unsafe') return true;
    if (tag !== '!!map' && tag !== '!!seq' && tag !== '!!omap' && tag !== '!!set') this.#unknownTag(tag, start, end);
    return false;
  }

  #unknownTag(tag: string, start: number, end: number): void {
    this.#problems.push(
      error('yaml-tag', `unknown YAML tag ${tag}`, {
        span: this.#span(start, end),
        help: 'known are !vault, !unsafe and the tags of YAML itself (!!str, !!int, !!float, !!bool, !!null, !!binary)',
      }),
    );
  }

  #alias(start: number, end: number): Node {
    this.#last = end;
    const name = this.#text.slice(start, end);
    const span = this.#span(start - 1, end);
    const anchored = this.#anchors.get(name);
    if (anchored?.node === undefined) {
      this.#problems.push(
        anchored === undefined
          ? error('yaml-alias', `no anchor &${name} stands before this alias`, {span})
          : error('yaml-alias', `the alias *${name} stands inside its own anchor`, {span}),
      );
      return {kind: 'scalar', value: null, raw: `*${name}`, style: 'plain', span};
    }
    this.#expanded += this.#sizeOf(anchored.node);
    if (this.#expanded > limits.expandedNodes || (this.#depths.get(anchored.node) ?? 1) > limits.depth) {
      this.#problems.push(error('yaml-alias', 'aliases of aliases make this text too large', {span}));
      return {kind: 'scalar', value: null, raw: `*${name}`, style: 'plain', span};
    }
    return anchored.node;
  }

  #sizeOf(node: Node): number {
    return this.#sizes.get(node) ?? 1;
  }

  #measure(node: Node, children: Iterable<Node>): void {
    let size = 1;
    let depth = 1;
    for (const inner of children) {
      size += this.#sizeOf(inner);
      depth = Math.max(depth, 1 + (this.#depths.get(inner) ?? 1));
    }
    this.#sizes.set(node, size);
    this.#depths.set(node, depth);
  }

  #list(start: number, flow: boolean, unsafe: boolean): Node {
    const items: Node[] = [];
    while (this.#events[this.#at]?.type !== 6) items.push(this.#node(unsafe));
    this.#at++;
    const node: Node = {kind: 'list', items, span: this.#span(start, this.#close(flow, ']'))};
    this.#measure(node, items);
    return node;
  }

  #map(start: number, flow: boolean, unsafe: boolean): Node {
    if (flow && this.#text.startsWith('{{', start)) return this.#bareTemplate(start);
    const own: Entry[] = [];
    const byKey = new Map<string, Entry>();
    const merged: Entry[] = [];
    while (this.#events[this.#at]?.type !== 6) {
      const key = this.#key();
      const value = this.#node(unsafe);
      if (key === undefined) continue;
      if (key.merge) {
        merged.push(...this.#merge(value, key.span));
        continue;
      }
      const entry: Entry = {key: key.text, keySpan: key.span, value};
      const first = byKey.get(key.text);
      if (first !== undefined) {
        this.#problems.push(
          error('duplicate-key', `the key ${JSON.stringify(key.text)} is given twice`, {
            span: key.span,
            note: 'only this one would count',
            help: `the first one is at ${placeOf(first.keySpan)}: remove one of them`,
          }),
        );
        own.splice(own.indexOf(first), 1);
      }
      byKey.set(key.text, entry);
      own.push(entry);
    }
    this.#at++;
    const entries =
      merged.length === 0
        ? own
        : [...new Map(merged.map((e) => [e.key, e])).values()].filter((e) => !byKey.has(e.key)).concat(own);
    const node: Node = {kind: 'map', entries, span: this.#span(start, this.#close(flow, '}'))};
    this.#measure(
      node,
      entries.map((e) => e.value),
    );
    return node;
  }

  /** Entries of `<<: *a` or `<<: [*a, *b]`; of several the first that has a key gives its value. */
  #merge(value: Node, span: Span): readonly Entry[] {
    if (value.kind === 'map') return value.entries;
    if (value.kind === 'list' && value.items.every((item) => item.kind === 'map')) {
      return value.items.toReversed().flatMap((item) => item.entries);
    }
    this.#problems.push(error('yaml-merge', 'a merge key (<<) takes a mapping or a list of mappings', {span}));
    return [];
  }

  #key(): Key | undefined {
    const event = this.#events[this.#at];
    if (event?.type === 4) {
      const node = this.#node(false);
      if (node.kind !== 'scalar') return undefined;
      const plain = node.style === 'plain';
      return {
        text: plain ? node.raw : typeof node.value === 'string' ? node.value : node.raw,
        span: node.span,
        merge: plain && node.raw === '<<',
      };
    }
    const before = this.#problems.length;
    const node = this.#node(false);
    if (node.kind === 'scalar')
      return {text: typeof node.value === 'string' ? node.value : node.raw, span: node.span, merge: false};
    if (this.#problems.length === before) {
      this.#problems.push(error('yaml-key', 'a key must be text, not a list or a mapping', {span: node.span}));
    }
    return undefined;
  }

  /** `{{ x }}` without quotes, which YAML reads as a mapping within a mapping. */
  #bareTemplate(start: number): Node {
    for (let depth = 1; depth > 0;) {
      const event = this.#events[this.#at++];
      if (event?.type === 2 || event?.type === 3) depth++;
      else if (event?.type === 6) depth--;
      else if (event?.type === 4)
        this.#last = Math.max(this.#last, event.valueEnd + (event.style === 2 || event.style === 3 ? 1 : 0));
      else if (event?.type === 5) this.#last = Math.max(this.#last, event.anchorEnd);
    }
    const closing = this.#text.indexOf('}}', this.#last);
    const end = closing < 0 ? this.#text.length : closing + 2;
    this.#last = end;
    const value = this.#text.slice(start, end);
    const span = this.#span(start, end);
    this.#problems.push(
      error('unquoted-template', 'a value that begins with {{ must be quoted', {
        span,
        note: 'YAML reads this brace as the start of a mapping',
        help: `quote it: ${quoteHelp(value)}`,
      }),
    );
    return {kind: 'scalar', value, raw: value, style: 'plain', span};
  }

  /** The end of a collection: behind its last element, or behind the bracket that closes it. */
  #close(flow: boolean, bracket: string): number {
    if (!flow) return this.#last;
    let i = this.#last;
    while (i < this.#text.length && this.#text[i] !== bracket) {
      if (this.#text[i] === '#') {
        const lineEnd = this.#text.indexOf('\n', i);
        i = lineEnd < 0 ? this.#text.length : lineEnd;
      } else i++;
    }
    this.#last = Math.min(i + 1, this.#text.length);
    return this.#last;
  }

  #scalar(event: ScalarEvent, unsafe: boolean): ScalarNode {
    const anchored = this.#anchor(event.anchorStart, event.anchorEnd);
    const tag = event.tagStart < 0 ? undefined : shortTag(this.#text.slice(event.tagStart, event.tagEnd));
    if (event.tagStart >= 0) this.#last = Math.max(this.#last, event.tagEnd);
    const node = this.#untagged(event, tag, unsafe);
    if (anchored !== undefined) anchored.node = node;
    return node;
  }

  #untagged(event: ScalarEvent, tag: string | undefined, unsafe: boolean): ScalarNode {
    if (event.valueStart < 0) {
      const span = this.#emptySpan();
      const tagged = tag === undefined ? null : this.#tagged(tag, '', event);
      return {kind: 'scalar', value: tagged, raw: '', style: 'plain', ...(tag === undefined ? {} : {tag}), span};
    }
    const repair = this.#repairs.get(event.valueStart) ?? this.#repairs.get(event.valueStart - 1);
    const raw = this.#source.text.slice(event.valueStart, event.valueEnd);
    const text = repair?.value ?? (event.fast ? raw : getScalarValue(this.#text, event));
    const span = this.#scalarSpan(event);
    this.#last = event.valueEnd + (event.style === 2 || event.style === 3 ? 1 : 0);
    const style =
      repair?.style ??
      (event.style === 1 ? 'plain' : event.style === 2 ? 'single' : event.style === 3 ? 'double' : 'block');
    const value =
      tag === undefined
        ? style === 'plain' && !event.fast && event.valueEnd === event.valueStart
          ? null
          : style === 'plain' && repair === undefined
            ? resolvePlain(text)
            : text
        : this.#tagged(tag, text, event);
    const shownTag = unsafe && typeof value === 'string' ? '!unsafe' : tag;
    const node: ScalarNode = {
      kind: 'scalar',
      value,
      raw,
      style,
      ...(shownTag === undefined ? {} : {tag: shownTag}),
      span,
    };
    if (repair === undefined) rememberLayout(node, event);
    else if (repair.style !== undefined) {
      const inside = {valueStart: repair.start + 1, valueEnd: repair.end - 1, fast: false};
      rememberLayout(node, {...event, ...inside, style: repair.style === 'single' ? 2 : 3});
    }
    return node;
  }

  #tagged(tag: string, text: string, event: ScalarEvent): ScalarNode['value'] {
    if (tag === '!vault' || tag === '!vault-encrypted') return {vault: text};
    if (tag === '!unsafe') return text;
    const value = resolveTagged(tag, text);
    if (value !== undefined) return value;
    if (/^!!(?:null|bool|int|float|binary)$/.test(tag)) {
      this.#problems.push(
        error('yaml-tag', `${JSON.stringify(text)} does not fit the tag ${tag}`, {
          span: this.#span(event.tagStart, event.tagEnd),
        }),
      );
    } else this.#unknownTag(tag, event.tagStart, event.tagEnd);
    return text;
  }

  /** The visible text of a scalar: with its quotes, from the `|` or `>` of a block to its last line. */
  #scalarSpan(event: ScalarEvent): Span {
    if (event.style === 1) return this.#span(event.valueStart, event.valueEnd);
    if (event.style === 2 || event.style === 3) return this.#span(event.valueStart - 1, event.valueEnd + 1);
    let start = event.valueStart;
    while (start > 0 && this.#text[start] !== '|' && this.#text[start] !== '>') start--;
    const headerEnd = this.#text.indexOf('\n', start);
    const header = headerEnd < 0 ? this.#text.length : headerEnd;
    let end = event.valueEnd;
    while (end > header && /\s/.test(this.#text[end - 1] ?? '')) end--;
    return this.#span(start, Math.max(end, start + 1));
  }

  /** A value that is not there: the place is right behind the colon or dash that announced it. */
  #emptySpan(): Span {
    let i = this.#last;
    while (i < this.#text.length && /[\s]/.test(this.#text[i] ?? '')) i++;
    while (this.#text[i] === '#') {
      const lineEnd = this.#text.indexOf('\n', i);
      i = lineEnd < 0 ? this.#text.length : lineEnd;
      while (i < this.#text.length && /[\s]/.test(this.#text[i] ?? '')) i++;
    }
    const sign = this.#text[i];
    if (sign === ':' || sign === '-' || sign === '?') {
      this.#last = i + 1;
      return this.#span(i + 1, i + 1);
    }
    return this.#span(this.#last, this.#last);
  }
}

function shortTag(tag: string): string {
  const verbatim = /^!<(.*)>$/.exec(tag);
  const name = verbatim?.[1] ?? tag;
  return name.startsWith('tag:yaml.org,2002:') ? `!!${name.slice('tag:yaml.org,2002:'.length)}` : name;
}
