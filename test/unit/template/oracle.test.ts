// The real Jinja2 (and ansible-core's filters, where installed) is the oracle: ours must give the same value, of the
// same type, or refuse where it refuses. What differs on purpose is listed in oracle/differences.ts with the reason.
import {spawnSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import test from 'ava';
import {Secret} from '../../../src/base/secret.ts';
import {contextOf, type Context} from '../../../src/template/environment.ts';
import {entriesOf, isMapping} from '../../../src/template/mapping.ts';
import {floatText} from '../../../src/template/number.ts';
import {standardEnvironment} from '../../../src/template/standard.ts';
import {parseExpression, parseTemplate, type Rendered} from '../../../src/template/template.ts';
import {Float, Thing, Tuple} from '../../../src/template/values.ts';
import {differences} from './oracle/differences.ts';
import {generated} from './oracle/generated.ts';
import {files, rows} from './oracle/templates.ts';

const folder = new URL('oracle/', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, folder), 'utf8');
const table = (name: string): string[] =>
  read(name)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));

const variables = JSON.parse(read('context.json'), (_key, value: unknown, context?: {source?: string}) =>
  typeof value === 'number' && context?.source?.includes('.') && Number.isInteger(value) ? new Float(value) : value,
) as Record<string, unknown>;
const expressions = table('expressions.txt');
const written = table('ansible.txt');
const ansible = [...written, ...generated(1500, 20_240_301)];

/** A value with its Python type, as oracle.py tags it. */
function tag(value: unknown): unknown {
  if (value instanceof Float) return {float: floatText(value.value)};
  if (typeof value === 'bigint') return {int: value.toString()};
  if (typeof value === 'number') return Number.isSafeInteger(value) ? {int: String(value)} : {float: floatText(value)};
  if (value instanceof Secret) return {other: 'secret'};
  if (value instanceof Tuple) return {tuple: value.map(tag)};
  if (Array.isArray(value)) return {list: value.map(tag)};
  if (isMapping(value)) return {dict: entriesOf(value).map(([key, element]) => [tag(key), tag(element)])};
  if (value instanceof Thing) return {other: value.kind};
  return value;
}

function outcome(rendered: Rendered): unknown {
  return rendered.ok ? tag(rendered.value) : {error: rendered.error.message};
}

const environment = standardEnvironment({
  load: (name) => (Object.hasOwn(files, name) ? {text: files[name] ?? '', path: name} : undefined),
  randomBytes: (count) => new Uint8Array(count),
});
const context: Context = contextOf(variables);

function evaluate(expression: string): unknown {
  const parsed = parseExpression(expression);
  return parsed.ok ? outcome(parsed.value.evaluate(context, environment)) : {error: parsed.errors[0].message};
}

function render(row: (typeof rows)[number]): unknown {
  const {
    trim_blocks: trimBlocks = true,
    lstrip_blocks: lstripBlocks = false,
    keep_trailing_newline: keepTrailingNewline = true,
  } = row.options ?? {};
  const parsed = parseTemplate(row.text, {backslashes: 'escape', trimBlocks, lstripBlocks, keepTrailingNewline});
  return parsed.ok ? outcome(parsed.value.renderText(context, environment)) : {error: parsed.errors[0].message};
}

type Answers = {
  versions: {jinja2: string; ansible: string | null};
  expressions: unknown[];
  templates: unknown[];
  ansible: unknown[] | null;
  ansible_has_utils?: boolean;
  ansible_has_mac?: boolean;
};

const python = '/usr/bin/python3';

function ask(): Answers | string {
  const input = JSON.stringify({context: variables, expressions, ansible, templates: rows, files});
  const run = spawnSync(python, [new URL('oracle.py', folder).pathname], {input, encoding: 'utf8', maxBuffer: 1 << 26});
  if (run.error !== undefined) return `${python} cannot be run`;
  if (run.stderr.includes("No module named 'jinja2'")) return 'python3-jinja2 is not installed';
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout) as Answers;
}

const answers = ask();

const isError = (value: unknown): value is {error: string} =>
  value !== null && typeof value === 'object' && 'error' in value;

/** Both refuse, or both give the same. */
function agree(ours: unknown, theirs: unknown): boolean {
  if (isError(ours) || isError(theirs)) return isError(ours) && isError(theirs);
  return JSON.stringify(ours) === JSON.stringify(theirs);
}

function compare(
  name: string,
  inputs: readonly string[],
  ours: (i: number) => unknown,
  theirs: readonly unknown[],
  skip: (input: string) => boolean,
): void {
  test(name, (t) => {
    const wrong: string[] = [];
    let compared = 0;
    inputs.forEach((input, i) => {
      if (skip(input)) return;
      compared++;
      const mine = ours(i);
      const difference = differences.get(input);
      if (difference === undefined) {
        if (!agree(mine, theirs[i]))
          wrong.push(`${input}\n  ours   ${JSON.stringify(mine)}\n  theirs ${JSON.stringify(theirs[i])}`);
      } else {
        if (agree(mine, theirs[i])) wrong.push(`${input}\n  is listed as different but is the same`);
        if (!agree(mine, isError(difference.ours) ? {error: ''} : difference.ours))
          wrong.push(`${input}\n  ours ${JSON.stringify(mine)}\n  is not what is listed`);
      }
    });
    t.log(`${compared} compared`);
    t.deepEqual(wrong, []);
  });
}

if (typeof answers === 'string') {
  test.skip(`real Jinja2 cannot be asked: ${answers}`, (t) => t.pass());
} else {
  const never = (): boolean => false;
  compare(
    `expressions give what Jinja2 ${answers.versions.jinja2} gives`,
    expressions,
    (i) => evaluate(expressions[i] ?? ''),
    answers.expressions,
    never,
  );
  compare(
    `templates give what Jinja2 ${answers.versions.jinja2} gives`,
    rows.map(({text}) => text),
    (i) => render(rows[i] ?? {text: ''}),
    answers.templates,
    never,
  );
  if (answers.ansible === null)
    test.skip('filters of ansible-core cannot be compared: it is not installed', (t) => t.pass());
  else {
    const lacks = (input: string): boolean =>
      (input.includes('ansible.utils.') && answers.ansible_has_utils !== true) ||
      (input.includes('random_mac') && answers.ansible_has_mac !== true);
    compare(
      `filters give what ansible-core ${answers.versions.ansible ?? ''} gives`,
      ansible,
      (i) => evaluate(ansible[i] ?? ''),
      answers.ansible,
      lacks,
    );
  }
}

test('there are at least 300 expressions to compare', (t) => {
  t.true(expressions.length >= 300);
  t.true(new Set([...expressions, ...written]).size >= 900);
});
