// Expressions, with Jinja's precedence (which is not Python's everywhere: `**` goes left to right, filters bind tighter
// than arithmetic).
import type {Argument, Comparison, Expression} from './ast.ts';
import {Fault, type Range} from './fault.ts';
import type {Token, TokenKind} from './lexer.ts';
import {int, type Operator} from './number.ts';
import {float} from './values.ts';

const MAX_DEPTH = 150;
const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=']);
const KEYWORDS: ReadonlySet<string> = new Set(['if', 'else', 'and', 'or', 'not', 'in', 'is', 'for', 'elif']);
const CONSTANTS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
  ['none', null],
  ['None', null],
]);

/** Reads expressions from a list of tokens; the statement parser builds on it. */
export class ExpressionParser {
  protected readonly tokens: readonly Token[];
  protected at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
  }

  protected get current(): Token {
    return this.tokens[Math.min(this.at, this.tokens.length - 1)]!;
  }

  protected get previousEnd(): number {
    return this.tokens[Math.max(0, this.at - 1)]!.end;
  }

  protected next(): Token {
    const token = this.current;
    this.at++;
    return token;
  }

  protected fail(message: string, range: Range = this.current, help?: string): never {
    const problem = {code: 'template-syntax', message, start: range.start, end: Math.max(range.end, range.start)};
    throw new Fault(help === undefined ? problem : {...problem, help});
  }

  protected isKind(kind: TokenKind): boolean {
    return this.current.kind === kind;
  }

  protected isOp(value: string): boolean {
    return this.current.kind === 'op' && this.current.value === value;
  }

  protected isName(value: string): boolean {
    return this.current.kind === 'name' && this.current.value === value;
  }

  protected skipOp(value: string): boolean {
    if (!this.isOp(value)) return false;
    this.at++;
    return true;
  }

  protected skipName(value: string): boolean {
    if (!this.isName(value)) return false;
    this.at++;
    return true;
  }

  protected describe(token: Token): string {
    if (token.kind === 'end') return 'the end';
    if (token.kind === 'output-end' || token.kind === 'block-end') return `"${token.value}"`;
    return token.kind === 'string' ? 'a string' : `"${token.value}"`;
  }

  protected expectOp(value: string): Token {
    if (!this.isOp(value)) this.fail(`expected "${value}", got ${this.describe(this.current)}`);
    return this.next();
  }

  protected expectName(what: string): Token {
    if (this.current.kind !== 'name') this.fail(`expected ${what}, got ${this.describe(this.current)}`);
    return this.next();
  }

  /** A whole expression that must reach the end of the tokens. */
  only(): Expression {
    if (this.isKind('end')) this.fail('expected an expression, got nothing');
    const expression = this.expression();
    if (!this.isKind('end')) this.unexpected();
    return expression;
  }

  protected unexpected(): never {
    const token = this.current;
    const help = token.kind === 'op' && token.value === '=' ? 'compare with ==' : undefined;
    this.fail(`unexpected ${this.describe(token)}`, token, help);
  }

  /** One expression, or several with commas between: a tuple. */
  protected tuple(conditional = true, ends: () => boolean = () => false): Expression {
    const start = this.current.start;
    const first = conditional ? this.expression() : this.or();
    if (!this.isOp(',')) return first;
    const elements = [first];
    while (this.skipOp(',')) {
      if (this.atEnd() || ends()) break;
      elements.push(conditional ? this.expression() : this.or());
    }
    return {node: 'tuple', elements, start, end: this.previousEnd};
  }

  protected atEnd(): boolean {
    return ['end', 'block-end', 'output-end'].includes(this.current.kind) || this.isOp(')');
  }

  /** An expression with `a if b else c`. */
  expression(): Expression {
    if (++this.#depth > MAX_DEPTH) this.fail('the expression is nested too deeply');
    let value = this.or();
    while (this.skipName('if')) {
      const test = this.or();
      const no = this.skipName('else') ? this.expression() : undefined;
      const range = {start: value.start, end: this.previousEnd};
      value =
        no === undefined ? {node: 'if', test, yes: value, ...range} : {node: 'if', test, yes: value, no, ...range};
    }
    this.#depth--;
    return value;
  }

  protected or(): Expression {
    let left = this.#and();
    while (this.skipName('or')) {
      const right = this.#and();
      left = {node: 'or', left, right, start: left.start, end: right.end};
    }
    return left;
  }

  #and(): Expression {
    let left = this.#not();
    while (this.skipName('and')) {
      const right = this.#not();
      left = {node: 'and', left, right, start: left.start, end: right.end};
    }
    return left;
  }

  #not(): Expression {
    const start = this.current.start;
    if (!this.skipName('not')) return this.#compare();
    if (++this.#depth > MAX_DEPTH) this.fail('the expression is nested too deeply');
    const operand = this.#not();
    this.#depth--;
    return {node: 'not', operand, start, end: operand.end};
  }

  #compare(): Expression {
    const first = this.#sum();
    const rest: {operator: Comparison; value: Expression}[] = [];
    for (;;) {
      const token = this.current;
      const following = this.tokens[this.at + 1];
      if (token.kind === 'op' && COMPARISONS.has(token.value)) {
        this.at++;
        rest.push({operator: token.value as Comparison, value: this.#sum()});
      } else if (this.skipName('in')) rest.push({operator: 'in', value: this.#sum()});
      else if (this.isName('not') && following?.kind === 'name' && following.value === 'in') {
        this.at += 2;
        rest.push({operator: 'not in', value: this.#sum()});
      } else break;
    }
    return rest.length === 0 ? first : {node: 'compare', first, rest, start: first.start, end: this.previousEnd};
  }

  #chain(operators: readonly string[], operand: () => Expression): Expression {
    let left = operand();
    while (this.current.kind === 'op' && operators.includes(this.current.value)) {
      const operator = this.next().value as Operator;
      const right = operand();
      left = {node: 'operate', operator, left, right, start: left.start, end: right.end};
    }
    return left;
  }

  #sum(): Expression {
    return this.#chain(['+', '-'], () => this.#concat());
  }

  #concat(): Expression {
    const elements = [this.#product()];
    while (this.skipOp('~')) elements.push(this.#product());
    const first = elements[0]!;
    return elements.length === 1 ? first : {node: 'concat', elements, start: first.start, end: this.previousEnd};
  }

  #product(): Expression {
    return this.#chain(['*', '/', '//', '%'], () => this.#chain(['**'], () => this.#unary(true)));
  }

  #unary(withFilters: boolean): Expression {
    const token = this.current;
    let value: Expression;
    if (this.isOp('-') || this.isOp('+')) {
      this.at++;
      if (++this.#depth > MAX_DEPTH) this.fail('the expression is nested too deeply');
      const operand = this.#unary(false);
      this.#depth--;
      value = {node: 'sign', operator: token.value as '-' | '+', operand, start: token.start, end: operand.end};
    } else value = this.primary();
    value = this.postfix(value);
    return withFilters ? this.filters(value) : value;
  }

  protected primary(): Expression {
    const token = this.next();
    const range = {start: token.start, end: token.end};
    switch (token.kind) {
      case 'name': {
        if (CONSTANTS.has(token.value)) return {node: 'constant', value: CONSTANTS.get(token.value), ...range};
        if (KEYWORDS.has(token.value)) this.fail(`expected an expression, got "${token.value}"`, token);
        return {node: 'name', name: token.value, ...range};
      }
      case 'string': {
        let text = token.value;
        while (this.current.kind === 'string') text += this.next().value;
        return {node: 'constant', value: text, start: token.start, end: this.previousEnd};
      }
      case 'int':
        return {node: 'constant', value: int(BigInt(token.value)), ...range};
      case 'float':
        return {node: 'constant', value: float(Number(token.value)), ...range};
      case 'op':
        if (token.value === '(') return this.#parenthesis(token);
        if (token.value === '[') return this.#list(token);
        if (token.value === '{') return this.#dict(token);
        break;
      default:
    }
    this.at--;
    this.fail(`expected an expression, got ${this.describe(token)}`, token);
  }

  #parenthesis(open: Token): Expression {
    if (this.skipOp(')')) return {node: 'tuple', elements: [], start: open.start, end: this.previousEnd};
    const inner = this.tuple();
    this.expectOp(')');
    return {...inner, start: open.start, end: this.previousEnd};
  }

  #list(open: Token): Expression {
    const elements: Expression[] = [];
    while (!this.isOp(']')) {
      if (elements.length > 0) this.expectOp(',');
      if (this.isOp(']')) break;
      elements.push(this.expression());
    }
    this.at++;
    return {node: 'list', elements, start: open.start, end: this.previousEnd};
  }

  #dict(open: Token): Expression {
    const entries: [Expression, Expression][] = [];
    while (!this.isOp('}')) {
      if (entries.length > 0) this.expectOp(',');
      if (this.isOp('}')) break;
      const key = this.expression();
      this.expectOp(':');
      entries.push([key, this.expression()]);
    }
    this.at++;
    return {node: 'dict', entries, start: open.start, end: this.previousEnd};
  }

  protected postfix(value: Expression): Expression {
    for (;;) {
      if (this.skipOp('.')) {
        const token = this.next();
        const end = token.end;
        if (token.kind === 'name')
          value = {node: 'attribute', object: value, name: token.value, nameAt: token, start: value.start, end};
        else if (token.kind === 'int') {
          const key: Expression = {node: 'constant', value: int(BigInt(token.value)), start: token.start, end};
          value = {node: 'item', object: value, key, start: value.start, end};
        } else {
          this.at--;
          this.fail(`expected a name after ".", got ${this.describe(token)}`, token);
        }
      } else if (this.isOp('[')) value = this.#subscript(value);
      else if (this.isOp('(')) value = this.#call(value);
      else return value;
    }
  }

  #call(callee: Expression): Expression {
    return {node: 'call', callee, args: this.arguments(), start: callee.start, end: this.previousEnd};
  }

  #subscript(object: Expression): Expression {
    this.expectOp('[');
    const keys: Expression[] = [];
    const start = object.start;
    const bound = (): Expression | undefined =>
      this.isOp(':') || this.isOp(']') || this.isOp(',') ? undefined : this.expression();
    const from = bound();
    if (this.skipOp(':')) {
      const to = bound();
      const step = this.skipOp(':') ? bound() : undefined;
      this.expectOp(']');
      return {
        node: 'slice',
        object,
        ...(from && {from}),
        ...(to && {to}),
        ...(step && {step}),
        start,
        end: this.previousEnd,
      };
    }
    if (from === undefined) this.fail('expected an index or a key');
    keys.push(from);
    while (this.skipOp(',')) keys.push(this.expression());
    this.expectOp(']');
    const key: Expression =
      keys.length === 1 ? from : {node: 'tuple', elements: keys, start: from.start, end: this.previousEnd - 1};
    return {node: 'item', object, key, start, end: this.previousEnd};
  }

  protected arguments(): Argument[] {
    this.expectOp('(');
    const args: Argument[] = [];
    while (!this.isOp(')')) {
      if (args.length > 0) {
        this.expectOp(',');
        if (this.isOp(')')) break;
      }
      const following = this.tokens[this.at + 1];
      if (this.skipOp('**')) args.push({spread: '**', value: this.expression()});
      else if (this.skipOp('*')) args.push({spread: '*', value: this.expression()});
      else if (this.current.kind === 'name' && following?.kind === 'op' && following.value === '=') {
        const name = this.next().value;
        this.at++;
        args.push({name, value: this.expression()});
      } else {
        if (args.some((arg) => arg.name !== undefined)) this.fail('a positional argument follows a named one');
        args.push({value: this.expression()});
      }
    }
    this.at++;
    return args;
  }

  protected dottedName(what: string): {name: string; nameAt: Range} {
    const first = this.expectName(what);
    let name = first.value;
    while (this.isOp('.')) {
      this.at++;
      name += `.${this.expectName(what).value}`;
    }
    return {name, nameAt: {start: first.start, end: this.previousEnd}};
  }

  protected filters(value: Expression): Expression {
    for (;;) {
      if (this.isOp('|')) value = this.filter(value);
      else if (this.isName('is')) value = this.#test(value);
      else if (this.isOp('(')) value = this.#call(value);
      else return value;
    }
  }

  protected filter(input: Expression | undefined): Expression {
    const start = input?.start ?? this.current.start;
    if (input !== undefined) this.expectOp('|');
    const {name, nameAt} = this.dottedName('the name of a filter');
    const args = this.isOp('(') ? this.arguments() : [];
    return {node: 'filter', ...(input && {input}), name, nameAt, args, start, end: this.previousEnd};
  }

  #test(input: Expression): Expression {
    this.at++;
    const negated = this.skipName('not');
    const {name, nameAt} = this.dottedName('the name of a test');
    let args: Argument[] = [];
    const token = this.current;
    const starts = ['string', 'int', 'float'].includes(token.kind) || this.isOp('[') || this.isOp('{');
    if (this.isOp('(')) args = this.arguments();
    else if (starts || (token.kind === 'name' && !KEYWORDS.has(token.value)))
      args = [{value: this.postfix(this.primary())}];
    else if (this.isName('is')) this.fail('tests cannot be chained with "is"', token, 'join them with "and"');
    return {node: 'test', input, name, nameAt, args, negated, start: input.start, end: this.previousEnd};
  }
}
