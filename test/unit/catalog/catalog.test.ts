import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {Ajv} from 'ajv';
import {Catalog} from '../../../src/catalog/catalog.ts';
import {aliasesOf, canonicalName} from '../../../src/catalog/names.ts';
import {faultOf} from '../../../src/catalog/import-module.ts';
import {schemaOfParams} from '../../../src/kit/json-schema.ts';
import {placeOf} from '../../../src/base/diagnostic.ts';
import {actions} from '../../support/actions.ts';
import {withFiles} from '../../support/temp-site.ts';

const catalog = new Catalog({actions});
const modules = readdirSync(new URL('../../../modules', import.meta.url))
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -3));

const names: readonly [spelled: string, canonical: string | undefined][] = [
  ['copy', 'copy'],
  ['ansible.builtin.copy', 'copy'],
  ['ansible.legacy.copy', 'copy'],
  ['ansible.posix.authorized_key', 'authorized_key'],
  ['ansible.builtin.systemd_service', 'systemd'],
  ['ansible.builtin.debug', 'debug'],
  ['community.general.copy', 'copy'],
  ['community.general.nothing', undefined],
  ['evil.collection.copy', undefined],
  ['coppy', undefined],
];
for (const [spelled, canonical] of names) test(`name: ${spelled}`, (t) => t.is(catalog.canonical(spelled), canonical));

test('the nearest name', (t) => {
  t.is(catalog.nearest('coppy'), 'copy');
  t.is(catalog.nearest('ansible.builtin.templat'), 'template');
  t.is(catalog.nearest('include_task'), 'include_tasks');
  t.is(catalog.nearest('zzzzzz'), undefined);
});

for (const name of modules) {
  test(`${name}: found, valid, strict schema, aliases known without importing it`, (t) => {
    const found = catalog.find(name);
    if (found?.ok !== true || found.value.found !== 'module') return t.fail(name);
    const {module} = found.value;
    t.is(faultOf(module, name), undefined);
    t.notThrows(() => new Ajv({strict: true, allowUnionTypes: true}).compile(schemaOfParams(module.params)));
    for (const alias of module.aliases ?? []) t.is(canonicalName(alias), name, alias);
    for (const alias of aliasesOf(name))
      t.is(catalog.canonical(alias), catalog.fileOf(alias) === undefined ? name : alias);
  });
}

const good = `import {defineModule, p, converged, nothing} from 'tsplay/kit';
const kind: string = 'mine';
export default defineModule({name: 'mine', summary: 's', params: {a: p.string('a')}, examples: ['- mine:\\n'], probe: () => nothing(null), plan: () => converged()});
`;

test('a site’s own module imports tsplay/kit with nothing installed there', async (t) => {
  await withFiles({'modules/mine.ts': good}, (cwd) => {
    const own = new Catalog({cwd, folders: [join(cwd, 'modules')]});
    const found = own.find('mine');
    t.like(found, {ok: true, value: {found: 'module', module: {name: 'mine'}}});
  });
});

test('folders in front hide what is behind, and leave the first catalog as it was', async (t) => {
  await withFiles({'modules/mine.ts': good}, (cwd) => {
    const base = new Catalog({cwd});
    t.is(base.with([join(cwd, 'none')]), base);
    t.is(base.with([join(cwd, 'modules')]).canonical('mine'), 'mine');
    t.is(base.canonical('mine'), undefined);
  });
});

const broken: readonly [title: string, text: string, message: RegExp, at: string][] = [
  [
    'another name',
    good.replace("name: 'mine'", "name: 'other'"),
    /calls itself "other", but its file is bad_one/,
    '3:30',
  ],
  ['no default export', 'export const a = 1;\n', /exports its definition as default/, '1:1'],
  [
    'no examples',
    good.replace("name: 'mine'", "name: 'bad_one'").replace(/examples: \[[^\]]*\]/, 'examples: []'),
    /no examples/,
    '3:89',
  ],
  [
    'bad pattern',
    good.replace("name: 'mine'", "name: 'bad_one'").replace("p.string('a')", "p.string('a', {pattern: '('})"),
    /^a: Invalid regular expression/,
    '1:1',
  ],
  ['does not load', 'export default (;\n', /cannot be loaded/, '1:1'],
];
for (const [title, text, message, at] of broken) {
  test(`broken module: ${title}`, async (t) => {
    await withFiles({'modules/bad_one.ts': text}, (cwd) => {
      const found = new Catalog({cwd, folders: [join(cwd, 'modules')]}).find('bad_one');
      const problem = found?.ok === false ? found.problems[0] : undefined;
      t.is(problem?.code, 'bad-module');
      t.regex(problem?.message ?? '', message);
      if (title !== 'bad pattern')
        t.is(problem?.span === undefined ? '' : placeOf(problem.span), `modules/bad_one.ts:${at}`);
    });
  });
}
