// Templates: text, `{{ output }}` and the statements in `{% %}`.
import {nearestName} from '../base/nearest.ts';
import type {Expression, Macro, Parameter, Statement, Target} from './ast.ts';
import type {Token} from './lexer.ts';
import {ExpressionParser} from './parse-expression.ts';

const MAX_NESTING = 100;
const STATEMENTS = [
  ...[
    'for',
    'if',
    'set',
    'with',
    'macro',
    'call',
    'filter',
    'include',
    'import',
    'from',
    'do',
    'block',
    'extends',
    'raw',
  ],
  ...['break', 'continue'],
];

type Open = {readonly keyword: string; readonly token: Token; readonly ends: readonly string[]};

/** Reads a whole template from its tokens. */
export class TemplateParser extends ExpressionParser {
  readonly #open: Open[] = [];
  #macro: {usesCaller: boolean; usesVarargs: boolean; usesKwargs: boolean} | undefined;

  /** All statements up to the end. */
  template(): Statement[] {
    const body = this.#body();
    return body;
  }

  #body(): Statement[] {
    const out: Statement[] = [];
    for (;;) {
      const token = this.current;
      const range = {start: token.start, end: token.end};
      if (token.kind === 'end') {
        const open = this.#open.at(-1);
        if (open !== undefined)
          this.fail(
            `this {% ${open.keyword} %} is never closed`,
            open.token,
            `close it with {% ${open.ends.at(-1) ?? ''} %}`,
          );
        return out;
      }
      if (token.kind === 'text') {
        this.at++;
        out.push({node: 'text', text: token.value, ...range});
      } else if (token.kind === 'output') {
        this.at++;
        if (this.isKind('output-end'))
          this.fail('expected an expression, got nothing', {start: token.start, end: this.current.end});
        const value = this.tuple();
        if (!this.isKind('output-end')) this.unexpected();
        out.push({node: 'output', value, start: token.start, end: this.next().end});
      } else {
        const keyword = this.tokens[this.at + 1];
        if (keyword?.kind === 'name' && this.#open.at(-1)?.ends.includes(keyword.value)) return out;
        this.at++;
        out.push(this.#statement(token.start));
      }
    }
  }

  #endBlock(): void {
    if (this.current.kind !== 'block-end') this.unexpected();
    this.at++;
  }

  /** The statements up to one of `ends`, whose name is given; its block start and name are consumed. */
  #until(keyword: Token, ...ends: string[]): {body: Statement[]; end: string} {
    if (this.#open.length >= MAX_NESTING) this.fail('the statements are nested too deeply', keyword);
    this.#open.push({keyword: keyword.value, token: keyword, ends});
    const body = this.#body();
    this.#open.pop();
    this.at++;
    return {body, end: this.next().value};
  }

  #statement(start: number): Statement {
    const keyword = this.expectName('the name of a statement');
    const statement = this.#named(keyword);
    return {...statement, start, end: this.previousEnd};
  }

  #named(keyword: Token): Statement {
    const range = {start: keyword.start, end: keyword.end};
    switch (keyword.value) {
      case 'for':
        return this.#for(keyword);
      case 'if':
        return this.#if(keyword);
      case 'set':
        return this.#set(keyword);
      case 'with':
        return this.#with(keyword);
      case 'macro': {
        const name = this.expectName('the name of the macro').value;
        const macro = this.#macroBody(name, this.#parameters(), keyword, 'endmacro');
        return {node: 'macro', macro, ...range};
      }
      case 'call': {
        const parameters = this.isOp('(') ? this.#parameters() : [];
        const call = this.expression();
        if (call.node !== 'call') this.fail('{% call %} needs a call of a macro', call);
        return {node: 'call-block', call, caller: this.#macroBody('caller', parameters, keyword, 'endcall'), ...range};
      }
      case 'filter': {
        let filters = this.filter(undefined);
        while (this.isOp('|')) filters = this.filter(filters);
        this.#endBlock();
        const {body} = this.#until(keyword, 'endfilter');
        this.#endBlock();
        return {node: 'filter-block', filters, body, ...range};
      }
      case 'include': {
        const template = this.expression();
        let ignoreMissing = false;
        if (this.skipName('ignore')) {
          if (!this.skipName('missing')) this.fail('expected "missing" after "ignore"');
          ignoreMissing = true;
        }
        const withContext = this.#context(true);
        this.#endBlock();
        return {node: 'include', template, ignoreMissing, withContext, ...range};
      }
      case 'import': {
        const template = this.expression();
        if (!this.skipName('as')) this.fail('expected "as" and a name');
        const {value: name} = this.expectName('a name');
        const withContext = this.#context(false);
        this.#endBlock();
        return {node: 'import', template, name, withContext, ...range};
      }
      case 'from':
        return this.#from(keyword);
      case 'do': {
        const value = this.tuple();
        this.#endBlock();
        return {node: 'do', value, ...range};
      }
      case 'block': {
        const {value: name} = this.expectName('the name of the block');
        while (this.skipName('scoped') || this.skipName('required'));
        this.#endBlock();
        const {body} = this.#until(keyword, 'endblock');
        this.skipName(name);
        this.#endBlock();
        return {node: 'block', name, body, ...range};
      }
      case 'extends': {
        const template = this.expression();
        this.#endBlock();
        return {node: 'extends', template, ...range};
      }
      case 'break':
      case 'continue':
        this.#endBlock();
        if (!this.#open.some((open) => open.keyword === 'for'))
          this.fail(`{% ${keyword.value} %} outside of a loop`, keyword);
        return {node: keyword.value, ...range};
      default:
        return this.#strange(keyword);
    }
  }

  #strange(keyword: Token): never {
    const open = this.#open.at(-1);
    if (keyword.value.startsWith('end') || keyword.value === 'else' || keyword.value === 'elif') {
      const expected =
        open && `{% ${open.keyword} %} is open: expected ${open.ends.map((end) => `{% ${end} %}`).join(' or ')}`;
      this.fail(`{% ${keyword.value} %} closes nothing`, keyword, expected);
    }
    const near = nearestName(keyword.value, [...STATEMENTS, ...(open?.ends ?? [])]);
    this.fail(`unknown statement "${keyword.value}"`, keyword, near && `did you mean "${near}"?`);
  }

  #context(fallback: boolean): boolean {
    const following = this.tokens[this.at + 1];
    if ((!this.isName('with') && !this.isName('without')) || following?.value !== 'context') return fallback;
    const withContext = this.next().value === 'with';
    this.at++;
    return withContext;
  }

  #target(tuples: boolean): Target {
    const first = this.#targetPart();
    if (!tuples || !this.isOp(',')) return first;
    const parts = [first];
    while (this.skipOp(',')) {
      if (this.isName('in') || this.isOp('=')) break;
      parts.push(this.#targetPart());
    }
    return {target: 'tuple', parts, start: first.start, end: this.previousEnd};
  }

  #targetPart(): Target {
    const start = this.current.start;
    if (this.skipOp('(')) {
      const inner = this.#target(true);
      this.expectOp(')');
      return {...inner, start, end: this.previousEnd};
    }
    const {value: name} = this.expectName('the name of a variable');
    if (['true', 'false', 'none', 'True', 'False', 'None'].includes(name))
      this.fail(`"${name}" cannot be assigned to`, {start, end: this.previousEnd});
    if (!this.skipOp('.')) return {target: 'name', name, start, end: this.previousEnd};
    const attribute = this.expectName('the name of an attribute').value;
    return {target: 'namespace', name, attribute, start, end: this.previousEnd};
  }

  #for(keyword: Token): Statement {
    const target = this.#target(true);
    if (!this.skipName('in')) this.fail(`expected "in", got ${this.describe(this.current)}`);
    const list = this.tuple(false, () => this.isName('recursive') || this.isName('if'));
    const filter = this.skipName('if') ? this.expression() : undefined;
    const recursive = this.skipName('recursive');
    this.#endBlock();
    const {body, end} = this.#until(keyword, 'else', 'endfor');
    let otherwise: Statement[] = [];
    this.#endBlock();
    if (end === 'else') {
      otherwise = this.#until(keyword, 'endfor').body;
      this.#endBlock();
    }
    return {
      node: 'for',
      target,
      list,
      ...(filter && {filter}),
      body,
      otherwise,
      recursive,
      start: keyword.start,
      end: keyword.end,
    };
  }

  #if(keyword: Token): Statement {
    const branches: {test: Expression; body: Statement[]}[] = [];
    let otherwise: Statement[] = [];
    for (;;) {
      const test = this.tuple(false);
      this.#endBlock();
      const {body, end} = this.#until(keyword, 'elif', 'else', 'endif');
      branches.push({test, body});
      if (end === 'elif') continue;
      this.#endBlock();
      if (end === 'else') {
        otherwise = this.#until(keyword, 'endif').body;
        this.#endBlock();
      }
      return {node: 'choose', branches, otherwise, start: keyword.start, end: keyword.end};
    }
  }

  #set(keyword: Token): Statement {
    const range = {start: keyword.start, end: keyword.end};
    const target = this.#target(true);
    if (this.skipOp('=')) {
      const value = this.tuple();
      this.#endBlock();
      return {node: 'set', target, value, ...range};
    }
    let filters: Expression | undefined;
    if (this.skipOp('|')) {
      filters = this.filter(undefined);
      while (this.isOp('|')) filters = this.filter(filters);
    }
    this.#endBlock();
    const {body} = this.#until(keyword, 'endset');
    this.#endBlock();
    return {node: 'set-block', target, ...(filters && {filters}), body, ...range};
  }

  #with(keyword: Token): Statement {
    const assigns: {target: Target; value: Expression}[] = [];
    while (this.current.kind !== 'block-end') {
      if (assigns.length > 0) this.expectOp(',');
      const target = this.#target(false);
      this.expectOp('=');
      assigns.push({target, value: this.expression()});
    }
    this.#endBlock();
    const {body} = this.#until(keyword, 'endwith');
    this.#endBlock();
    return {node: 'with', assigns, body, start: keyword.start, end: keyword.end};
  }

  #parameters(): Parameter[] {
    this.expectOp('(');
    const parameters: Parameter[] = [];
    while (!this.isOp(')')) {
      if (parameters.length > 0) this.expectOp(',');
      const {value: name} = this.expectName('the name of a parameter');
      if (this.skipOp('=')) parameters.push({name, fallback: this.expression()});
      else {
        if (parameters.at(-1)?.fallback !== undefined)
          this.fail('a parameter without default follows one with default');
        parameters.push({name});
      }
    }
    this.at++;
    return parameters;
  }

  #macroBody(name: string, parameters: readonly Parameter[], keyword: Token, end: string): Macro {
    this.#endBlock();
    const outer = this.#macro;
    const uses = {usesCaller: false, usesVarargs: false, usesKwargs: false};
    this.#macro = uses;
    const {body} = this.#until(keyword, end);
    this.#macro = outer;
    this.#endBlock();
    return {name, parameters, body, ...uses};
  }

  /** Names are seen here to learn whether a macro takes a caller, extra positional or extra named arguments. */
  protected override primary(): Expression {
    const expression = super.primary();
    if (this.#macro !== undefined && expression.node === 'name') {
      if (expression.name === 'caller') this.#macro.usesCaller = true;
      if (expression.name === 'varargs') this.#macro.usesVarargs = true;
      if (expression.name === 'kwargs') this.#macro.usesKwargs = true;
    }
    return expression;
  }

  #from(keyword: Token): Statement {
    const template = this.expression();
    if (!this.skipName('import')) this.fail('expected "import"');
    const names: {name: string; as: string; at: Token}[] = [];
    let withContext = false;
    while (this.current.kind !== 'block-end') {
      if (names.length > 0 && !this.skipOp(',')) {
        if (!this.isName('with') && !this.isName('without')) this.unexpected();
      }
      if (this.tokens[this.at + 1]?.value === 'context') {
        withContext = this.#context(false);
        break;
      }
      const at = this.expectName('a name');
      const as = this.skipName('as') ? this.expectName('a name').value : at.value;
      names.push({name: at.value, as, at});
    }
    if (names.length === 0) this.fail('expected the names to import');
    this.#endBlock();
    return {node: 'from', template, names, withContext, start: keyword.start, end: keyword.end};
  }
}
