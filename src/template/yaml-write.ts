// Writing YAML exactly as PyYAML with libyaml does, which is what `to_yaml` and `to_nice_yaml` give in Ansible.
import {order, textOf} from './compare.ts';
import {Misuse} from './fault.ts';
import {entriesOf, isMapping} from './mapping.ts';
import {floatText} from './number.ts';
import {typeName} from './print.ts';
import {Float, Thing} from './values.ts';

export type YamlStyle = {
  readonly indent: number;
  /** `leaves`: lists and mappings that hold only scalars are written in one line. */
  readonly flow: 'never' | 'leaves' | 'always';
  readonly sortKeys: boolean;
  readonly width: number;
  readonly unicode: boolean;
  readonly explicitStart: boolean;
  readonly explicitEnd: boolean;
};

/** What YAML 1.1 reads as something other than text when it stands there plainly. */
const IMPLICIT = [
  /^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$/,
  /^(?:[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/,
  /^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$/,
  /^<<$/,
  /^(?:~|null|Null|NULL|)$/,
  /^(?:\d{4}-\d\d-\d\d|\d{4}-\d\d?-\d\d?(?:[Tt]|[ \t]+)\d\d?:\d\d:\d\d(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d\d?(?::\d\d)?))?)$/,
  /^=$/,
];

type Analysis = {empty: boolean; multiline: boolean; flowPlain: boolean; blockPlain: boolean; single: boolean};

const BREAKS = '\r\n\x85\u2028\u2029';

function analyse(text: string, unicode: boolean): Analysis {
  if (text === '') return {empty: true, multiline: false, flowPlain: false, blockPlain: true, single: true};
  const chars = Array.from(text);
  let [blockIndicators, flowIndicators, lineBreaks, special] = [false, false, false, false];
  let [leadingSpace, leadingBreak, trailingSpace, trailingBreak, breakSpace, spaceBreak] = [
    false,
    false,
    false,
    false,
    false,
    false,
  ];
  if (text.startsWith('---') || text.startsWith('...')) blockIndicators = flowIndicators = true;
  let afterSpace = true;
  const spaceLike = '\0 \t\r\n\x85\u2028\u2029';
  let beforeSpace = chars.length === 1 || spaceLike.includes(chars[1] ?? ' ');
  let [lastSpace, lastBreak] = [false, false];
  chars.forEach((char, i) => {
    if (i === 0) {
      if ('#,[]{}&*!|>\'"%@`'.includes(char)) flowIndicators = blockIndicators = true;
      if ('?:'.includes(char)) {
        flowIndicators = true;
        if (beforeSpace) blockIndicators = true;
      }
      if (char === '-' && beforeSpace) flowIndicators = blockIndicators = true;
    } else {
      if (',?[]{}'.includes(char)) flowIndicators = true;
      if (char === ':') {
        flowIndicators = true;
        if (beforeSpace) blockIndicators = true;
      }
      if (char === '#' && afterSpace) flowIndicators = blockIndicators = true;
    }
    if (BREAKS.includes(char)) lineBreaks = true;
    if (char !== '\n' && !(char >= ' ' && char <= '~')) {
      const printable = char >= '\xa0' && char !== '\ufeff' && !/[\ud800-\udfff]/.test(char) && char <= '\u{10ffff}';
      if (!printable || !unicode) special = true;
      else if (char.length > 1 && char > '\u{10ffff}') special = true;
    }
    if (char === ' ') {
      if (i === 0) leadingSpace = true;
      if (i === chars.length - 1) trailingSpace = true;
      if (lastBreak) breakSpace = true;
      [lastSpace, lastBreak] = [true, false];
    } else if (BREAKS.includes(char)) {
      if (i === 0) leadingBreak = true;
      if (i === chars.length - 1) trailingBreak = true;
      if (lastSpace) spaceBreak = true;
      [lastSpace, lastBreak] = [false, true];
    } else [lastSpace, lastBreak] = [false, false];
    afterSpace = spaceLike.includes(char);
    beforeSpace = i + 2 >= chars.length || spaceLike.includes(chars[i + 2] ?? ' ');
  });
  let [flowPlain, blockPlain, single] = [true, true, true];
  if (leadingSpace || leadingBreak || trailingSpace || trailingBreak) flowPlain = blockPlain = false;
  if (breakSpace) flowPlain = blockPlain = single = false;
  if (spaceBreak || special) flowPlain = blockPlain = single = false;
  if (lineBreaks) flowPlain = blockPlain = false;
  if (flowIndicators) flowPlain = false;
  if (blockIndicators) blockPlain = false;
  return {empty: false, multiline: lineBreaks, flowPlain, blockPlain, single};
}

type Scalar = {text: string; /** it is no text: written as it is */ bare: boolean};

function scalarOf(value: unknown): Scalar | undefined {
  const text = textOf(value);
  if (text !== undefined) return {text, bare: false};
  if (value === null) return {text: 'null', bare: true};
  if (typeof value === 'boolean') return {text: value ? 'true' : 'false', bare: true};
  if (typeof value === 'bigint') return {text: value.toString(), bare: true};
  if (value instanceof Float || typeof value === 'number') {
    const number = value instanceof Float ? value.value : value;
    if (typeof value === 'number' && Number.isSafeInteger(value)) return {text: String(value), bare: true};
    if (Number.isNaN(number)) return {text: '.nan', bare: true};
    if (!Number.isFinite(number)) return {text: number > 0 ? '.inf' : '-.inf', bare: true};
    const shown = floatText(number);
    return {text: shown.includes('.') || !shown.includes('e') ? shown : shown.replace('e', '.0e'), bare: true};
  }
  return undefined;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\0': '0',
  '\x07': 'a',
  '\b': 'b',
  '\t': 't',
  '\n': 'n',
  '\v': 'v',
  '\f': 'f',
  '\r': 'r',
  '\x1b': 'e',
  '"': '"',
  '\\': '\\',
  '\x85': 'N',
  '\xa0': '_',
  '\u2028': 'L',
  '\u2029': 'P',
};

/** Whether a character may stand in double quotes as it is. */
function isVisible(char: string, unicode: boolean): boolean {
  if ('"\\\x85\u2028\u2029\ufeff'.includes(char)) return false;
  if (char >= ' ' && char <= '~') return true;
  return unicode && char >= '\xa0' && char.length === 1 && !/[\ud800-\udfff\ufffe\uffff]/u.test(char);
}

function escapeOf(char: string): string {
  const known = Object.hasOwn(ESCAPES, char) ? ESCAPES[char] : undefined;
  if (known !== undefined) return `\\${known}`;
  const code = char.codePointAt(0) ?? 0;
  const hex = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

class Emitter {
  readonly #style: YamlStyle;
  out = '';
  #column = 0;
  #flowLevel = 0;
  #indent = 0;
  readonly #indents: number[] = [];
  #indented = true;
  #whitespace = true;
  simpleKey = false;
  #mapping = false;

  constructor(style: YamlStyle) {
    this.#style = style;
  }

  #put(text: string): void {
    this.out += text;
    this.#column += Array.from(text).length;
  }

  #break(mark = '\n'): void {
    this.#whitespace = true;
    this.#indented = true;
    this.out += mark;
    this.#column = 0;
  }

  indicator(mark: string, needSpace: boolean, whitespace = false, indention = false): void {
    this.#put(this.#whitespace || !needSpace ? mark : ` ${mark}`);
    this.#whitespace = whitespace;
    this.#indented = this.#indented && indention;
  }

  #writeIndent(): void {
    const indent = Math.max(0, this.#indent);
    if (!this.#indented || this.#column > indent || (this.#column === indent && !this.#whitespace)) this.#break();
    if (this.#column < indent) {
      this.#whitespace = true;
      this.#put(' '.repeat(indent - this.#column));
    }
  }

  #increase(flow: boolean, indentless = false): void {
    this.#indents.push(this.#indent);
    if (this.#indent < 0) this.#indent = flow ? this.#style.indent : 0;
    else if (!indentless) this.#indent += this.#style.indent;
  }

  #decrease(): void {
    this.#indent = this.#indents.pop() ?? -1;
  }

  document(value: unknown): void {
    this.#indent = -1;
    if (this.#style.explicitStart) {
      this.indicator('---', true);
    }
    this.node(value, false);
    this.#break();
    if (this.#style.explicitEnd) {
      this.indicator('...', true);
      this.#break();
    }
  }

  node(value: unknown, mapping: boolean): void {
    this.#mapping = mapping;
    const scalar = scalarOf(value);
    if (scalar !== undefined) return this.#scalar(scalar);
    if (value instanceof Thing) return this.node(value.plain(), mapping);
    if (Array.isArray(value)) return this.#sequence(value as unknown[]);
    if (isMapping(value)) return this.#mappingNode(value);
    throw new Misuse(`a ${typeName(value)} cannot be written as YAML`, 'template-type');
  }

  #isFlow(children: readonly unknown[]): boolean {
    if (this.#flowLevel > 0 || children.length === 0 || this.#style.flow === 'always') return true;
    return this.#style.flow === 'leaves' && children.every((child) => isPlainLeaf(child));
  }

  #entries(value: Parameters<typeof entriesOf>[0]): [unknown, unknown][] {
    const entries = entriesOf(value);
    if (!this.#style.sortKeys) return entries;
    try {
      return entries.sort(([a], [b]) => order(a, b));
    } catch {
      return entriesOf(value);
    }
  }

  #sequence(list: readonly unknown[]): void {
    if (this.#isFlow(list)) {
      this.indicator('[', true, true);
      this.#flowLevel++;
      this.#increase(true);
      list.forEach((element, i) => {
        if (i > 0) this.indicator(',', false);
        if (this.#column > this.#style.width) this.#writeIndent();
        this.node(element, false);
      });
      this.#decrease();
      this.#flowLevel--;
      this.indicator(']', false);
      return;
    }
    this.#increase(false, this.#mapping && !this.#indented);
    for (const element of list) {
      this.#writeIndent();
      this.indicator('-', true, false, true);
      this.node(element, false);
    }
    this.#decrease();
  }

  #key(key: unknown): boolean {
    const scalar = scalarOf(key);
    if (scalar === undefined)
      return (Array.isArray(key) && key.length === 0) || (isMapping(key) && entriesOf(key).length === 0);
    return scalar.text.length < 128 && !analyse(scalar.text, this.#style.unicode).multiline;
  }

  #mappingNode(value: Parameters<typeof entriesOf>[0]): void {
    const entries = this.#entries(value);
    const flow = this.#isFlow(entries.flat());
    if (flow) {
      this.indicator('{', true, true);
      this.#flowLevel++;
    }
    this.#increase(flow);
    entries.forEach(([key, element], i) => {
      if (flow) {
        if (i > 0) this.indicator(',', false);
        if (this.#column > this.#style.width) this.#writeIndent();
      } else this.#writeIndent();
      if (this.#key(key)) {
        this.simpleKey = true;
        this.node(key, true);
        this.simpleKey = false;
        this.indicator(':', false);
      } else {
        this.indicator('?', true, false, !flow);
        this.node(key, true);
        if (!flow) this.#writeIndent();
        else if (this.#column > this.#style.width) this.#writeIndent();
        this.indicator(':', true, false, !flow);
      }
      this.node(element, true);
    });
    this.#decrease();
    if (flow) {
      this.#flowLevel--;
      this.indicator('}', false);
    }
  }

  #scalar(scalar: Scalar): void {
    this.#increase(true);
    const analysis = analyse(scalar.text, this.#style.unicode);
    const split = !this.simpleKey;
    const plainAllowed =
      !(this.simpleKey && (analysis.empty || analysis.multiline)) &&
      (this.#flowLevel > 0 ? analysis.flowPlain : analysis.blockPlain) &&
      (scalar.bare || !IMPLICIT.some((pattern) => pattern.test(scalar.text)));
    if (plainAllowed) this.#plain(scalar.text, split);
    else if (analysis.single && !(this.simpleKey && analysis.multiline)) this.#single(scalar.text, split);
    else this.#double(scalar.text, split);
    this.#decrease();
  }

  #plain(text: string, split: boolean): void {
    if (text === '') return;
    if (!this.#whitespace) this.#put(' ');
    this.#whitespace = false;
    this.#indented = false;
    for (const part of text.match(/ +|[^ ]+/g) ?? []) {
      if (part === ' ' && this.#column > this.#style.width && split) {
        this.#writeIndent();
        this.#whitespace = false;
        this.#indented = false;
      } else this.#put(part);
    }
  }

  #single(text: string, split: boolean): void {
    this.indicator("'", true);
    const parts = text.match(/ +|[\n\x85\u2028\u2029]+|[^ \n\x85\u2028\u2029]+/g) ?? [];
    parts.forEach((part, i) => {
      if (part.startsWith(' ')) {
        if (part === ' ' && this.#column > this.#style.width && split && i > 0 && i < parts.length - 1)
          this.#writeIndent();
        else this.#put(part);
      } else if (BREAKS.includes(part[0] ?? '')) {
        if (part.startsWith('\n')) this.#break();
        for (const char of part) this.#break(char);
        this.#writeIndent();
      } else this.#put(part.replaceAll("'", "''"));
    });
    this.indicator("'", false);
  }

  #double(text: string, split: boolean): void {
    this.indicator('"', true);
    const chars = Array.from(text);
    let afterSpace = false;
    for (let i = 0; i < chars.length; i++) {
      const char = chars[i] ?? '';
      if (char === ' ') {
        if (split && !afterSpace && this.#column > this.#style.width && i > 0 && i < chars.length - 1) {
          this.#writeIndent();
          if (chars[i + 1] === ' ') this.#put('\\');
        } else this.#put(char);
        afterSpace = true;
        continue;
      }
      afterSpace = false;
      this.#put(isVisible(char, this.#style.unicode) ? char : escapeOf(char));
    }
    this.#whitespace = false;
    this.#indented = false;
    this.indicator('"', false);
  }
}

/** PyYAML writes a collection in one line (`leaves`) if every child is a scalar that needs no quotes by itself. */
function isPlainLeaf(value: unknown): boolean {
  return scalarOf(value) !== undefined;
}

/** `yaml.dump`. *errors*: Misuse. */
export function toYaml(value: unknown, style: YamlStyle): string {
  const emitter = new Emitter(style);
  emitter.document(value);
  return emitter.out;
}
