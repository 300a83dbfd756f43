// Every parameter that Ansible documents for a module that we have too: taken with the same aliases, choices and default, or decided otherwise in
// the one table of differences. Whoever adds a module finds out here what is missing.
import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {resolve} from 'node:path';
import test from 'ava';
import {actions} from '../../../src/actions/index.ts';
import {
  differencesPage,
  differentParams,
  isHarmless,
  refusedParam,
  refusedParams,
} from '../../../src/catalog/ansible-parameters.ts';
import {bindModule} from '../../../src/catalog/bind.ts';
import {Catalog} from '../../../src/catalog/catalog.ts';
import {readLeniently} from '../../../src/kit/lenient.ts';
import type {Kind, Params} from '../../../src/kit/schema.ts';

const builtin =
  'add_host apt assert blockinfile command copy cron debug dnf fail fetch file get_url group group_by hostname include_vars known_hosts lineinfile meta package pause ping raw reboot replace script service set_fact setup shell slurp stat systemd template unarchive user wait_for wait_for_connection';
const others =
  'ansible.posix.authorized_key ansible.posix.mount ansible.posix.sysctl community.general.ini_file community.general.modprobe community.general.timezone community.general.zypper';
const names = [...builtin.split(' ').map((name) => `ansible.builtin.${name}`), ...others.split(' ')];

type Option = {aliases?: string[]; choices?: unknown; default?: unknown; required?: boolean; type?: string};
type Documented = Record<string, {doc: {options?: Record<string, Option>}}>;

function documented(): Documented | undefined {
  try {
    const text = execFileSync('ansible-doc', ['-j', ...names], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore']});
    return JSON.parse(text) as Documented;
  } catch {
    return undefined;
  }
}

/** Not parameters: the free form, the user's own variables, and a pointer to another page. */
const noParams = ['free_form', 'free-form', 'key_value', 'others'];

const catalog = new Catalog({actions, cwd: process.cwd(), folders: [resolve('modules')]});

function paramsOf(name: string): Params {
  const found = catalog.find(name);
  if (found?.ok !== true) throw new Error(`there is no module ${name}`);
  return found.value.found === 'module' ? found.value.module.params : found.value.action.params;
}

function choicesOf(kind: Kind): readonly string[] | undefined {
  if (kind.kind === 'choice') return kind.values;
  if (kind.kind === 'boolean') return ['yes', 'no'];
  return kind.kind === 'list' ? choicesOf(kind.of) : undefined;
}

/** What is undecided about a parameter. */
function undecided(module: string, params: Params, name: string, option: Option): string[] {
  if (refusedParam(module, name) !== undefined) return [];
  const [own, param] =
    Object.entries(params).find(([key, {aliases}]) => key === name || aliases.includes(name)) ?? ([] as undefined[]);
  if (own === undefined || param === undefined) return [`${module}.${name} is neither taken nor refused`];
  const different = differentParams[module]?.[own] ?? differentParams['*']?.[own];
  const spellings = [own, ...param.aliases];
  const lacking = (option.aliases ?? []).filter((alias) => !spellings.includes(alias));
  const problems = lacking.map((alias) => `${module}.${name} has the alias ${alias}`);
  if (different !== undefined) return problems;
  const choices =
    option.choices === undefined || option.choices === null
      ? []
      : Array.isArray(option.choices)
        ? option.choices
        : Object.keys(option.choices);
  const ours = choicesOf(param.kind);
  const free = ['string', 'text', 'any', 'path', 'either'].includes(param.kind.kind);
  for (const choice of choices.map(String))
    if (!free && ours?.includes(choice) !== true) problems.push(`${module}.${name} has the choice ${choice}`);
  if ((option.required === true) !== (param.need === 'required') && !spellings.some((s) => free && s === 'cmd'))
    problems.push(`${module}.${name} is ${option.required === true ? '' : 'not '}required`);
  const empty =
    [undefined, null, '', 0, false].includes(option.default as never) || JSON.stringify(option.default) === '[]';
  const value = readLeniently(param.kind, option.default);
  if (
    param.need === 'default' &&
    option.default !== undefined &&
    option.default !== null &&
    JSON.stringify(value) !== JSON.stringify(param.default) &&
    !(empty && JSON.stringify(param.default) === '[]')
  )
    problems.push(
      `${module}.${name} has the default ${JSON.stringify(option.default)}, not ${JSON.stringify(param.default)}`,
    );
  return problems;
}

const doc = documented();
if (doc === undefined)
  test.skip('parameters as ansible-doc says them: it is not installed with these collections', () => undefined);
else
  for (const [full, {doc: page}] of Object.entries(doc)) {
    const module = full.split('.').at(-1) ?? '';
    test(`${module}: every parameter of Ansible's is decided`, (t) => {
      const params = paramsOf(module);
      const options = Object.entries(page.options ?? {}).filter(([name]) => !noParams.includes(name));
      t.deepEqual(
        options.flatMap(([name, option]) => undecided(module, params, name, option)),
        [],
      );
    });
  }

test('the table names modules that there are, and refuses nothing that they take', (t) => {
  for (const [module, table] of Object.entries(refusedParams))
    for (const name of Object.keys(table)) t.false(Object.hasOwn(paramsOf(module), name), `${module}.${name}`);
  for (const [module, table] of Object.entries(differentParams))
    for (const name of Object.keys(table))
      t.true(module === '*' || Object.hasOwn(paramsOf(module), name), `${module}.${name}`);
});

test('a parameter without effect says why', (t) => {
  const silent = catalog.names().flatMap((name) =>
    Object.entries(paramsOf(name))
      .filter(([, {doc: text}]) => text === 'accepted for compatibility')
      .map(([param]) => `${name}.${param}`),
  );
  t.deepEqual(silent, []);
});

test('a refused parameter is named with the reason, unless it asks for nothing', (t) => {
  const found = catalog.find('user');
  if (found?.ok !== true || found.value.found !== 'module') return t.fail();
  const none = {
    file: () => {
      throw new Error('no files');
    },
    template: () => {
      throw new Error('no templates');
    },
  };
  const result = bindModule(found.value.module, {name: 'u', profile: 'x'}, none);
  if (result.bound !== 'problems') return t.fail();
  t.like(result.problems[0], {
    code: 'refused-param',
    pointer: '/profile',
    at: 'key',
    message: 'user: profile is not supported: it has a meaning on Solaris only',
  });
  t.is(bindModule(found.value.module, {name: 'u', profile: null}, none).bound, 'values');
  const gssapi = refusedParam('get_url', 'use_gssapi')!;
  t.true(isHarmless(gssapi, 'no'));
  t.false(isHarmless(gssapi, true));
});

test('the page of the documentation is what the table says', (t) => {
  t.is(readFileSync('docs/ansible-parameters.md', 'utf8'), differencesPage(), 'make it: npm run docs');
});
