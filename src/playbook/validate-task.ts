// One task as one host would see it, before anything is known of that host: everything is evaluated that can be.
import type {Diagnostic, Span} from '../base/diagnostic.ts';
import {error, warning} from '../base/diagnostic.ts';
import {nearestName} from '../base/nearest.ts';
import {isMapping} from '../base/json.ts';
import {findUnknown, Unknown} from '../base/unknown.ts';
import {bindAction, bindModule} from '../catalog/bind.ts';
import type {Bound} from '../catalog/bind.ts';
import {withHomes} from '../catalog/home-paths.ts';
import type {ActionSpec} from '../catalog/action-spec.ts';
import {looksLikeTemplate, parseExpression, parseTemplate} from '../template/template.ts';
import {resolverOf} from './controller-files.ts';
import {isTemplate, listOf, textOf} from './keywords.ts';
import {loopItems} from './lookups.ts';
import {child} from './node.ts';
import type {Node} from './node.ts';
import type {Keywords, Loop, Task} from './program.ts';
import {spanWithin} from './scalar-place.ts';
import type {TaskScope} from './scope-task.ts';
import {notBoolean} from './validate-condition.ts';
import {locate, surprises} from './validate-params.ts';

type Report = (problem: Diagnostic) => void;
type Locals = Readonly<Record<string, unknown>>;

/** *units*: elements of a loop that are looked at. */
const mostElements = 60;

/** *units*: names that nothing defines and that one task is searched for. */
const mostUndefined = 20;

/** Whether something runs here: not if a condition is known to be false. */
export type Outlook = 'runs' | 'may run' | 'does not run';

/** Judges conditions in order, as the engine does; what cannot be evaluated is reported. */
export function outlookOf(conditions: readonly Node[], scope: TaskScope, report: Report): Outlook {
  let outlook: Outlook = 'runs';
  const problems: Diagnostic[] = [];
  const guarded = guardsOf(conditions);
  for (const condition of conditions) {
    // braces within a condition have been reported
    if (/^(?!\s*\{\{[^{}]*\}\}\s*$).*\{\{/s.test(textOf(condition) ?? '')) return 'may run';
    const value = scope.evaluateExpression(condition);
    if (!value.ok) {
      problems.push(...value.problems.filter((problem) => !guarded(problem)));
      outlook = 'may run';
      continue;
    }
    const odd = notBoolean(condition, value.value, 'when');
    if (odd !== undefined) problems.push(odd);
    if (findUnknown(value.value) !== undefined) outlook = 'may run';
    else if (!isTruth(value.value)) {
      // what an earlier condition lacks does not matter then, but what a condition is does
      for (const problem of problems) if (problem.code === 'condition-type') report(problem);
      return 'does not run';
    }
  }
  for (const problem of problems) report(problem);
  return outlook;
}

/** Variables that a condition asks about (`x is defined`) are used only where they are there. */
function guardsOf(conditions: readonly Node[]): (problem: Diagnostic) => boolean {
  const names = new Set<string>();
  for (const condition of conditions) {
    const text = textOf(condition);
    if (text === undefined) continue;
    for (const match of text.matchAll(/([A-Za-z_][\w.]*)\s+is\s+(?:not\s+)?(?:ansible\.builtin\.)?(?:un)?defined/g))
      names.add((match[1] ?? '').split('.')[0] ?? '');
    const parsed = parseExpression(text);
    if (parsed.ok) for (const variable of parsed.value.freeVariables) if (variable.guarded) names.add(variable.name);
  }
  if (names.size === 0) return () => false;
  return (problem) =>
    problem.code.startsWith('undefined-') &&
    [...names].some((name) => new RegExp(`\\b${name}\\b`).test(problem.message));
}

/** The rounds of a loop as far as they are known: the variables each one sets; one round with an unknown element where they are not. */
export function roundsOf(
  loop: Loop | undefined,
  conditions: readonly Node[],
  scope: TaskScope,
  report: Report,
): readonly Locals[] {
  if (loop === undefined) return [{}];
  const items = loopItems(scope, loop);
  if (!items.ok) {
    // a loop over something undefined is no mistake where the condition says that it does not run
    const quiet = conditions.some((condition) => {
      const value = scope.evaluateExpression(condition);
      return value.ok && findUnknown(value.value) === undefined && !isTruth(value.value);
    });
    const guarded = guardsOf(conditions);
    if (!quiet) for (const problem of items.problems) if (!guarded(problem)) report(problem);
    return [];
  }
  const variables = (item: unknown, index: unknown): Locals => ({
    [loop.loopVar]: item,
    ansible_loop_var: loop.loopVar,
    ...(loop.indexVar === undefined ? {} : {[loop.indexVar]: index, ansible_index_var: loop.indexVar}),
    ansible_loop: new Unknown('the loop'),
  });
  if (items.value instanceof Unknown) return [variables(items.value, items.value)];
  return items.value.slice(0, mostElements).map(variables);
}

/** Ansible's truth of a condition's value. */
export function isTruth(value: unknown): boolean {
  if (typeof value === 'string') return !['', 'false', 'no', 'off', '0', 'none'].includes(value.toLowerCase());
  if (Array.isArray(value)) return value.length > 0;
  if (isMapping(value)) return Object.keys(value).length > 0;
  return value !== null && value !== undefined && value !== false && value !== 0;
}

/** Keywords that hold one value, evaluated for their mistakes. */
const evaluated = [
  'becomeUser',
  'become',
  'delegateTo',
  'ignoreErrors',
  'noLog',
  'checkMode',
  'runOnce',
  'retries',
  'delay',
  'timeout',
  'throttle',
  'notify',
  'remoteUser',
] as const satisfies readonly (keyof Keywords)[];

export type TaskCheck = {
  readonly task: Task;
  readonly scope: TaskScope;
  readonly report: Report;
  readonly action: (name: string) => ActionSpec | undefined;
  /** what is odd about the host of `delegate_to` */
  readonly delegated: (name: string, span: Span) => Diagnostic | undefined;
  /** called with the names that are notified; undefined where they are not known */
  readonly notified: (names: readonly {readonly name: string; readonly node: Node}[] | undefined) => void;
};

/** Evaluates and binds a task, each round of its loop, and reports what is wrong. */
export function checkTask(check: TaskCheck): void {
  const {task, scope} = check;
  const {keywords} = task;
  const guarded = guardsOf(keywords.when);
  const report: Report = (problem) => {
    if (!guarded(problem)) check.report(withLoopHelp(problem, keywords.loop));
  };
  for (const locals of roundsOf(keywords.loop, keywords.when, scope, check.report)) {
    const inner = keywords.loop === undefined ? scope : scope.with(locals);
    if (outlookOf(keywords.when, inner, check.report) === 'does not run') continue;
    checkKeywords(task, inner, report, check);
    checkParams(task, inner, report, check.action);
    if (task.doing.do === 'action' && task.doing.action === 'set_fact') checkFacts(task, report);
  }
}

function checkKeywords(task: Task, scope: TaskScope, report: Report, check: TaskCheck): void {
  const {keywords} = task;
  for (const key of evaluated) {
    const node = keywords[key];
    if (node === undefined) continue;
    const value = scope.evaluate(node);
    if (!value.ok) for (const problem of value.problems) report(problem);
    if (key === 'notify') check.notified(value.ok ? namesIn(node, value.value) : undefined);
    if (key === 'delegateTo' && value.ok && typeof value.value === 'string') {
      const strange = check.delegated(value.value, node.span);
      if (strange !== undefined) report(strange);
    }
  }
  for (const node of keywords.environment) {
    const value = scope.evaluate(node);
    if (!value.ok) for (const problem of value.problems) report(problem);
  }
  if (keywords.loop?.label !== undefined) {
    const value = scope.evaluate(keywords.loop.label);
    if (!value.ok) for (const problem of value.problems) report(problem);
  }
  if (keywords.becomeUser !== undefined && keywords.become === undefined) {
    const become = scope.lookup('ansible_become');
    if (become === undefined)
      report(
        warning('become-user-alone', 'become_user has no effect without become', {
          span: keywords.becomeUser.span,
          help: 'add become: true',
        }),
      );
  }
  if (isTemplate(task.name) && task.name !== undefined) {
    const value = scope.evaluate(task.name);
    // a name that cannot be filled in is shown as it stands
    if (!value.ok)
      for (const problem of value.problems)
        report(problem.code.startsWith('undefined-') ? {...problem, severity: 'warning'} : problem);
  }
  const {register} = keywords;
  const result = new Unknown(`task "${textOf(task.name) ?? task.spelled}"`);
  const after = register === undefined ? scope : scope.with({[register]: result});
  for (const [key, conditions] of [
    ['until', keywords.until],
    ['failed_when', keywords.failedWhen],
    ['changed_when', keywords.changedWhen],
  ] as const) {
    for (const condition of conditions ?? []) {
      const value = after.evaluateExpression(condition);
      if (!value.ok) for (const problem of value.problems) report(withoutResult(problem, register));
      const odd = value.ok ? notBoolean(condition, value.value, key) : undefined;
      if (odd !== undefined) report(odd);
    }
  }
}

/** Names of set_fact that no template could use. */
function checkFacts({params, span}: Task, report: Report): void {
  if (params === undefined || (params.kind === 'map' && params.entries.every(({key}) => key === 'cacheable'))) {
    report(error('missing-param', 'set_fact: no variable is named', {span, help: 'set_fact: {name: value}'}));
    return;
  }
  for (const {key, keySpan} of params.kind === 'map' ? params.entries : []) {
    if (/^[A-Za-z_]\w*$/.test(key) || key.includes('{{')) continue;
    const help = 'names consist of letters, digits and _, and do not begin with a digit';
    report(error('bad-variable-name', `set_fact: "${key}" cannot be used as a variable`, {span: keySpan, help}));
  }
}

function withLoopHelp(problem: Diagnostic, loop: Loop | undefined): Diagnostic {
  if (problem.message !== '"item" is undefined') return problem;
  return {
    ...problem,
    help: loop === undefined ? 'this task has no loop' : `the variable of this loop is ${loop.loopVar}`,
  };
}

/** `rc` and its like are found in a registered result only. */
function withoutResult(problem: Diagnostic, register: string | undefined): Diagnostic {
  const isResult = /^"(?:rc|stdout|stderr|stdout_lines|stderr_lines|result|changed|failed)" is undefined$/.test(
    problem.message,
  );
  return register === undefined && isResult
    ? {...problem, help: 'add `register: out` to the task, and ask for out.rc, out.stdout, …'}
    : problem;
}

/** Handlers' names with their places; undefined where one of them is not known. */
function namesIn(node: Node, value: unknown): readonly {name: string; node: Node}[] | undefined {
  if (findUnknown(value) !== undefined) return undefined;
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  const nodes = listOf(node);
  return values.flatMap((name, i) =>
    typeof name === 'string' ? [{name, node: (nodes.length === values.length ? nodes[i] : undefined) ?? node}] : [],
  );
}

function checkParams(
  task: Task,
  scope: TaskScope,
  report: Report,
  actionOf: (name: string) => ActionSpec | undefined,
): void {
  // a template stops at the first name that nothing defines; with that one taken for granted the next is found, in files too
  const missing: Record<string, unknown> = {};
  for (let round = 0; round < mostUndefined; round++) {
    const before = Object.keys(missing).length;
    judgeParams(task, round === 0 ? scope : scope.with(missing), actionOf, (problem) => {
      const name = /^"(\w+)" is undefined$/.exec(problem.message)?.[1];
      if (problem.code === 'undefined-variable' && name !== undefined && !Object.hasOwn(missing, name)) {
        missing[name] = new Unknown('a mistake');
      }
      const {help, ...rest} = problem;
      const misled = Object.keys(missing).some((each) => each !== name && help === `did you mean "${each}"?`);
      report(misled ? rest : problem);
    });
    if (Object.keys(missing).length === before) return;
  }
}

function judgeParams(
  task: Task,
  scope: TaskScope,
  actionOf: (name: string) => ActionSpec | undefined,
  report: Report,
): void {
  const {doing, params} = task;
  if (doing.do === 'missing') return;
  const spec = doing.do === 'module' ? doing.module : actionOf(doing.action);
  if (spec === undefined) return;
  const expressions: readonly string[] = 'expressions' in spec ? (spec.expressions ?? []) : [];
  const rendered =
    params?.kind === 'map' && expressions.length > 0
      ? {...params, entries: params.entries.filter(({key}) => !expressions.includes(key))}
      : params;
  const value = rendered === undefined ? undefined : scope.evaluate(rendered);
  if (value !== undefined && !value.ok) {
    for (const problem of value.problems) report(problem);
    for (const problem of furtherUndefined(rendered, scope)) report(problem);
  }
  for (const name of expressions)
    if (name !== 'var') for (const node of listOf(child(params, name))) checkExpression(node, scope, report);
  const misread = surprises(spec.name, spec.params, params);
  for (const problem of misread) report(problem);
  const given = value === undefined ? {} : value.ok ? value.value : withoutMistakes(rendered, scope);
  if (given instanceof Unknown) return;
  if (given !== null && given !== undefined && !isMapping(given)) {
    report(
      error('bad-params', `${spec.name}: expected a mapping of parameters`, {
        span: params?.span ?? task.span,
        note: 'this gives something else',
      }),
    );
    return;
  }
  const evaluatedParams = given ?? {};
  const bound: Bound =
    doing.do === 'module'
      ? bindModule(
          doing.module,
          withHomes(doing.module.params, evaluatedParams, () => new Unknown('the home folder')),
          resolverOf(scope),
        )
      : bindAction(actionSpec(spec, expressions), evaluatedParams);
  if (bound.bound === 'problems') {
    for (const problem of bound.problems) {
      const located = locate(problem, params, task.span);
      if (!misread.some(({span}) => span?.start === located.span?.start)) report(located);
    }
  }
  if (bound.bound === 'values') {
    for (const problem of bound.warnings ?? []) report(locate({...problem, severity: 'warning'}, params, task.span));
  }
  for (const name of expressions) {
    const required = spec.params[name]?.need === 'required' && child(params, name) === undefined;
    if (required) report(error('missing-param', `${spec.name}: the parameter ${name} is missing`, {span: task.span}));
  }
}

function actionSpec(spec: {readonly name: string}, expressions: readonly string[]): ActionSpec {
  return {...(spec as ActionSpec), expressions};
}

function checkExpression(node: Node, scope: TaskScope, report: Report): void {
  const value = scope.evaluateExpression(node);
  if (!value.ok) for (const problem of value.problems) report(problem);
}

/** A template stops at the first variable that nothing defines; people want to hear of all. */
function furtherUndefined(node: Node | undefined, scope: TaskScope): readonly Diagnostic[] {
  if (node === undefined) return [];
  if (node.kind === 'list') return node.items.flatMap((item) => furtherUndefined(item, scope));
  if (node.kind === 'map') return node.entries.flatMap((entry) => furtherUndefined(entry.value, scope));
  if (typeof node.value !== 'string' || !looksLikeTemplate(node.value) || /\b(?:if|and|or)\b/.test(node.value))
    return [];
  const parsed = parseTemplate(node.value);
  const value = parsed.ok ? scope.evaluate(node) : undefined;
  if (!parsed.ok || value?.ok !== false || !value.problems.some(({code}) => code.startsWith('undefined-'))) return [];
  return parsed.value.freeVariables.flatMap((variable): readonly Diagnostic[] => {
    if (variable.guarded) return [];
    const found = scope.lookup(variable.name);
    if (found?.ok === false) return found.problems;
    if (found !== undefined || scope.place.run.environment.globals.has(variable.name)) return [];
    const near = nearestName(variable.name, scope.names());
    return [
      error('undefined-variable', `"${variable.name}" is undefined`, {
        span: spanWithin(node, variable.start, variable.end),
        ...(near === undefined ? {} : {help: `did you mean "${near}"?`}),
      }),
    ];
  });
}

/** Values of the parameters that can be evaluated; the others are unknown, and their mistakes are reported already. */
function withoutMistakes(params: Node | undefined, scope: TaskScope): unknown {
  if (params?.kind !== 'map') return new Unknown('a mistake');
  return Object.fromEntries(
    params.entries.map((entry) => {
      const value = scope.evaluate(entry.value);
      return [entry.key, value.ok ? value.value : new Unknown('a mistake')];
    }),
  );
}
