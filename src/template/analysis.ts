// What can be said of a template without running it: names, filters, tests and lookups used.
import type {Argument, Expression, Macro, Statement, Target} from './ast.ts';
import type {Range} from './fault.ts';

/** A name used, with its place. */
export type Use = Range & {readonly name: string};

/**
 * A variable that a template takes from outside. `path` holds the constant attributes read from it
 * (`ansible_facts.os_family` → `['os_family']`); `guarded` uses cope with the variable (or its attribute) not being defined.
 */
export type FreeVariable = Use & {readonly path: readonly (string | number)[]; readonly guarded: boolean};

export type Analysis = {
  readonly variables: readonly FreeVariable[];
  readonly filters: readonly Use[];
  readonly tests: readonly Use[];
  readonly lookups: readonly Use[];
};

const GUARDS = new Set(['default', 'd', 'mandatory', 'ansible.builtin.default', 'ansible.builtin.mandatory']);
const LOOKUPS = new Set(['lookup', 'query', 'q']);

type Env = {readonly bound: ReadonlySet<string>; readonly safe: ReadonlySet<string>};

function pathOf(expression: Expression): {root: Expression; path: (string | number)[]} {
  if (expression.node === 'attribute') {
    const {root, path} = pathOf(expression.object);
    return {root, path: [...path, expression.name]};
  }
  if (expression.node === 'item' && expression.key.node === 'constant') {
    const {value} = expression.key;
    const {root, path} = pathOf(expression.object);
    if (typeof value === 'string' || typeof value === 'number') return {root, path: [...path, value]};
  }
  return {root: expression, path: []};
}

/** Names that are surely defined where the condition is true (or false, for `whenTrue` false). */
function definedBy(expression: Expression, whenTrue: boolean): string[] {
  if (expression.node === 'not') return definedBy(expression.operand, !whenTrue);
  if (expression.node === 'and' || expression.node === 'or') {
    if ((expression.node === 'and') !== whenTrue) return [];
    return [...definedBy(expression.left, whenTrue), ...definedBy(expression.right, whenTrue)];
  }
  if (expression.node !== 'test') return [];
  const name = expression.name.replace(/^ansible\.builtin\./, '');
  if (name !== 'defined' && name !== 'undefined') return [];
  const saysDefined = (name === 'defined') !== expression.negated;
  if (saysDefined !== whenTrue) return [];
  const {root, path} = pathOf(expression.input);
  return root.node === 'name' ? [root.name, [root.name, ...path].join('\0')] : [];
}

class Walk {
  readonly variables: FreeVariable[] = [];
  readonly filters: Use[] = [];
  readonly tests: Use[] = [];
  readonly lookups: Use[] = [];

  statements(body: readonly Statement[], env: Env): void {
    const bound = new Set(env.bound);
    const own = {bound, safe: env.safe};
    for (const statement of body) this.#statement(statement, own, bound);
  }

  #assign(target: Target, bound: Set<string>): void {
    if (target.target === 'name') bound.add(target.name);
    else if (target.target === 'tuple') for (const part of target.parts) this.#assign(part, bound);
  }

  #macro(macro: Macro, env: Env): void {
    for (const {fallback} of macro.parameters) if (fallback !== undefined) this.expression(fallback, env);
    const names = [...macro.parameters.map(({name}) => name), 'caller', 'varargs', 'kwargs'];
    this.statements(macro.body, {bound: new Set([...env.bound, ...names]), safe: env.safe});
  }

  #statement(statement: Statement, env: Env, bound: Set<string>): void {
    switch (statement.node) {
      case 'output':
      case 'do':
        return this.expression(statement.value, env);
      case 'for': {
        this.expression(statement.list, env);
        const inner = new Set(env.bound);
        this.#assign(statement.target, inner);
        if (statement.filter !== undefined) this.expression(statement.filter, {...env, bound: inner});
        inner.add('loop');
        this.statements(statement.body, {...env, bound: inner});
        return this.statements(statement.otherwise, env);
      }
      case 'choose': {
        let safe = env.safe;
        for (const {test, body} of statement.branches) {
          this.expression(test, {...env, safe});
          this.#nested(body, {bound, safe: new Set([...safe, ...definedBy(test, true)])}, bound);
          safe = new Set([...safe, ...definedBy(test, false)]);
        }
        return this.#nested(statement.otherwise, {bound, safe}, bound);
      }
      case 'set':
        this.expression(statement.value, env);
        return this.#assign(statement.target, bound);
      case 'set-block':
        if (statement.filters !== undefined) this.expression(statement.filters, env);
        this.statements(statement.body, env);
        return this.#assign(statement.target, bound);
      case 'with': {
        const inner = new Set(env.bound);
        for (const {target, value} of statement.assigns) {
          this.expression(value, env);
          this.#assign(target, inner);
        }
        return this.statements(statement.body, {...env, bound: inner});
      }
      case 'macro':
        bound.add(statement.macro.name);
        return this.#macro(statement.macro, env);
      case 'call-block':
        this.expression(statement.call, env);
        return this.#macro(statement.caller, env);
      case 'filter-block':
        this.expression(statement.filters, env);
        return this.statements(statement.body, env);
      case 'include':
      case 'extends':
        return this.expression(statement.template, env);
      case 'import':
        bound.add(statement.name);
        return this.expression(statement.template, env);
      case 'from':
        for (const {as} of statement.names) bound.add(as);
        return this.expression(statement.template, env);
      case 'block':
        return this.statements(statement.body, {...env, bound: new Set([...env.bound, 'super'])});
      case 'text':
      case 'break':
      case 'continue':
    }
  }

  /** What an `if` sets stays set after it. */
  #nested(body: readonly Statement[], env: Env, bound: Set<string>): void {
    for (const statement of body) this.#statement(statement, {bound, safe: env.safe}, bound);
  }

  #arguments(args: readonly Argument[], env: Env): void {
    for (const {value} of args) this.expression(value, env);
  }

  /** A chain of attributes down to a name; false if the expression is something else. */
  #variable(expression: Expression, env: Env, guarded: boolean): boolean {
    const {root, path} = pathOf(expression);
    if (root.node !== 'name') return false;
    if (env.bound.has(root.name)) return true;
    const prefixes = path.map((_, i) => [root.name, ...path.slice(0, i + 1)].join('\0'));
    const safe = guarded || env.safe.has(root.name) || prefixes.some((prefix) => env.safe.has(prefix));
    this.variables.push({name: root.name, path, guarded: safe, start: root.start, end: root.end});
    return true;
  }

  expression(expression: Expression, env: Env, guarded = false): void {
    switch (expression.node) {
      case 'constant':
        return;
      case 'name':
        this.#variable(expression, env, guarded);
        return;
      case 'attribute':
        if (!this.#variable(expression, env, guarded)) this.expression(expression.object, env, guarded);
        return;
      case 'item':
        if (expression.key.node !== 'constant') this.expression(expression.key, env);
        if (!this.#variable(expression, env, guarded)) this.expression(expression.object, env, guarded);
        return;
      case 'list':
      case 'tuple':
      case 'concat':
        for (const element of expression.elements) this.expression(element, env);
        return;
      case 'dict':
        for (const [key, value] of expression.entries) {
          this.expression(key, env);
          this.expression(value, env);
        }
        return;
      case 'operate':
        this.expression(expression.left, env);
        return this.expression(expression.right, env);
      case 'sign':
      case 'not':
        return this.expression(expression.operand, env);
      case 'and':
      case 'or': {
        this.expression(expression.left, env, guarded);
        const safe = new Set([...env.safe, ...definedBy(expression.left, expression.node === 'and')]);
        return this.expression(expression.right, {...env, safe}, guarded);
      }
      case 'compare':
        this.expression(expression.first, env);
        for (const {value} of expression.rest) this.expression(value, env);
        return;
      case 'if':
        this.expression(expression.test, env);
        this.expression(
          expression.yes,
          {...env, safe: new Set([...env.safe, ...definedBy(expression.test, true)])},
          guarded,
        );
        if (expression.no !== undefined)
          this.expression(
            expression.no,
            {...env, safe: new Set([...env.safe, ...definedBy(expression.test, false)])},
            guarded,
          );
        return;
      case 'slice':
        this.expression(expression.object, env, guarded);
        for (const bound of [expression.from, expression.to, expression.step])
          if (bound !== undefined) this.expression(bound, env);
        return;
      case 'call': {
        const {callee, args} = expression;
        const [first] = args;
        if (callee.node === 'name' && LOOKUPS.has(callee.name) && first?.value.node === 'constant') {
          const {value, start, end} = first.value;
          if (typeof value === 'string') this.lookups.push({name: value, start, end});
        }
        this.expression(callee, env);
        return this.#arguments(args, env);
      }
      case 'filter': {
        const use = {name: expression.name, ...expression.nameAt};
        this.filters.push({name: use.name, start: use.start, end: use.end});
        if (expression.input !== undefined) this.expression(expression.input, env, GUARDS.has(expression.name));
        return this.#arguments(expression.args, env);
      }
      case 'test': {
        const {start, end} = expression.nameAt;
        this.tests.push({name: expression.name, start, end});
        this.expression(expression.input, env, /^(?:ansible\.builtin\.)?(?:un)?defined$/.test(expression.name));
        return this.#arguments(expression.args, env);
      }
    }
  }
}

const NOTHING: Env = {bound: new Set(), safe: new Set()};

/** Analyses the statements of a template. */
export function analyseTemplate(body: readonly Statement[]): Analysis {
  const walk = new Walk();
  walk.statements(body, NOTHING);
  return walk;
}

/** Analyses an expression. */
export function analyseExpression(expression: Expression): Analysis {
  const walk = new Walk();
  walk.expression(expression, NOTHING);
  return walk;
}
