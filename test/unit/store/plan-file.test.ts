// A plan file: only who may open it opens it, and no byte of it can be changed unseen.
import '../../support/fixed-seed.ts';
import {randomBytes} from 'node:crypto';
import {mkdtempSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Ajv} from 'ajv';
import test from 'ava';
import fc from 'fast-check';
import {placeOf} from '../../../src/base/diagnostic.ts';
import {Secret} from '../../../src/base/secret.ts';
import type {Result} from '../../../src/base/result.ts';
import {planSchema} from '../../../src/report/plan-schema.ts';
import {controllerKey} from '../../../src/store/controller-key.ts';
import {seal, unseal, type Sealing} from '../../../src/store/plan-seal.ts';
import {
  contextOf,
  editedLines,
  headLines,
  lineDigests,
  parsePlan,
  printPlan,
  type PlanHead,
} from '../../../src/store/plan-text.ts';

const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes));
const password = (text: string, id = 'default') => ({id, password: Secret.of(text)});
const counts = {ok: 0, changed: 0, failed: 0, skipped: 0, refused: 0, unknown: 0, ignored: 0, roundTrips: 1};
const task = (host: string): Record<string, unknown> => ({
  host,
  play: 'p',
  task: 'motd',
  module: 'copy',
  at: 'site.yml:3:7',
  status: 'changed',
  item: null,
  changes: [{what: 'content', before: null, after: {secret: true}}],
  findings: [],
  diff: '',
  message: '',
  pending: [],
  durationMs: 1,
  decided: 'at plan',
  ops: ['write /etc/motd (5 bytes)'],
  saw: [{what: 'file /etc/motd', was: 'nothing there'}],
});
const head: PlanHead = {
  tsplayPlan: 1,
  made: {id: '20260101T000000-abcdef', at: '2026-01-01T00:00:00.000Z', by: 'me@here', version: '0.1.0'},
  site: {folder: '/site', playbooks: ['site.yml'], inventories: ['hosts'], limit: [], tags: [], skipTags: []},
  run: {id: 'x', mode: 'plan', playbooks: ['site.yml'], started: '2026-01-01T00:00:00Z', durationMs: 3, exit: 8},
  hosts: {h1: {status: 'changed', ...counts}, h2: {status: 'changed', ...counts}},
  tasks: [task('h1'), task('h2')],
  problems: [],
};
const content = {answer: 'the secret part', steps: [1, 2, 3]};

function made(sealing: Sealing, of: PlanHead = head): string {
  const lines = headLines(of);
  return printPlan(lines, seal({lines: lineDigests(lines), ...content}, sealing, contextOf(of), random));
}

type Keys = Parameters<typeof unseal>[1];

/** Opens a plan as the commands do; the codes of what is wrong with it, with their lines. */
function opened(text: string, keys: Keys): string[] {
  const told = (result: Result<unknown>): string[] =>
    result.ok ? ['opened'] : result.problems.map((p) => `${p.code} ${p.span === undefined ? '' : placeOf(p.span)}`);
  const parsed = parsePlan({path: 'p', text});
  if (!parsed.ok) return told(parsed);
  const start = text.lastIndexOf('"sealed"');
  const span = {source: parsed.value.source, start, end: start + 8};
  const result = unseal(parsed.value.sealed, keys, contextOf(parsed.value.head), span);
  if (!result.ok) return told(result);
  const edited = editedLines(parsed.value, (result.value as {lines: string[]}).lines);
  return edited.length === 0 ? ['opened'] : edited.map((p) => `${p.code} ${placeOf(p.span!)}`);
}

const key = random(32);
const mine: Sealing = {with: 'controller', key};
const noKeys: Keys = {passwords: [], key: undefined};
const one = [password('one', 'prod')];
const two = [password('one', 'prod'), password('two', 'dev')];
const sealedAt = 'p:13:1';

const table: readonly (readonly [what: string, sealing: Sealing, keys: Keys, expected: readonly string[]])[] = [
  ['the controller that made it', mine, {passwords: [], key}, ['opened']],
  ['another controller', mine, {passwords: one, key: random(32)}, [`plan-elsewhere ${sealedAt}`]],
  ['a controller without a key', mine, noKeys, [`plan-elsewhere ${sealedAt}`]],
  ['its vault password', {with: 'vault', passwords: one}, {passwords: one, key: undefined}, ['opened']],
  [
    'its password under another label',
    {with: 'vault', passwords: one},
    {passwords: [password('one')], key},
    ['opened'],
  ],
  ['no vault password', {with: 'vault', passwords: one}, {passwords: [], key}, [`vault-no-password ${sealedAt}`]],
  [
    'a wrong one',
    {with: 'vault', passwords: one},
    {passwords: [password('x', 'prod')], key},
    [`vault-wrong-password ${sealedAt}`],
  ],
  ['both of two', {with: 'vault', passwords: two}, {passwords: two.toReversed(), key: undefined}, ['opened']],
  [
    'one of two is not enough',
    {with: 'vault', passwords: two},
    {passwords: one, key},
    [`vault-unknown-id ${sealedAt}`],
  ],
  [
    'one password given twice',
    {with: 'vault', passwords: [...one, ...one]},
    {passwords: one, key: undefined},
    ['opened'],
  ],
];
for (const [what, sealing, keys, expected] of table)
  test(`who opens a plan: ${what}`, (t) => {
    t.deepEqual(opened(made(sealing), keys), expected);
  });

test('what is sealed cannot be read', (t) => {
  const text = made({with: 'vault', passwords: two});
  for (const hidden of ['the secret part', 'steps', 'one', 'two']
    .map((word) => [word, Buffer.from(word).toString('base64')])
    .flat())
    if (hidden.length > 3) t.false(text.includes(hidden), hidden);
});

test('every clear line counts: an edit is found in its line', (t) => {
  const lines = made(mine).split('\n');
  const sealedLine = lines.indexOf('"sealed": {');
  for (let i = 0; i < sealedLine; i++) {
    const edited = lines.with(
      i,
      lines[i]!.replace(/h1|h2|p|\[|\{|\]/, (found) => ({h1: 'h9', h2: 'h8', p: 'q'})[found] ?? `${found} `),
    );
    if (edited[i] === lines[i]) continue;
    const [found = ''] = opened(edited.join('\n'), {passwords: [], key});
    t.regex(found, /^(?:plan-edited|plan-damaged|not-a-plan) p:\d+:\d+$/, `${lines[i]}: ${found}`);
    if (found.startsWith('plan-edited')) t.regex(found, new RegExp(`^plan-edited p:${i + 1}:1$`));
  }
});

test('no change of a character goes unseen', (t) => {
  const text = made(mine);
  fc.assert(
    fc.property(fc.nat(text.length - 2), fc.constantFrom('x', '0', ' ', '"', '}', '\n'), (at, sign) => {
      const edited = text.slice(0, at) + sign + text.slice(at + 1);
      if (edited === text) return;
      t.notDeepEqual(opened(edited, {passwords: [], key}), ['opened'], `${at}: ${text.slice(at - 20, at + 20)}`);
    }),
    {numRuns: 300},
  );
});

test('cut off anywhere, it is no plan any more', (t) => {
  const text = made(mine);
  for (let at = 0; at < text.length - 2; at += 37)
    t.notDeepEqual(opened(text.slice(0, at), {passwords: [], key}), ['opened']);
});

test('the sealed part of one plan does not fit another', (t) => {
  const other = made(mine, {...head, made: {...head.made, id: 'another'}});
  const clear = made(mine).split('"sealed": {')[0] ?? '';
  t.deepEqual(opened(`${clear}"sealed": {${other.split('"sealed": {')[1] ?? ''}`, {passwords: [], key}), [
    `plan-damaged ${sealedAt}`,
  ]);
});

const strangers: readonly (readonly [what: string, text: string, expected: string])[] = [
  ['nothing', '', 'not-a-plan p:1:1'],
  ['a playbook', '- hosts: all\n', 'not-a-plan p:1:1'],
  ['other JSON', '{"format_version": "1.2"}', 'not-a-plan p:1:1'],
  ['a list', '[1]', 'not-a-plan p:1:1'],
  ['a newer format', made(mine).replace('"tsplayPlan": 1', '"tsplayPlan": 2'), 'plan-newer p:2:1'],
  ['a format that never was', made(mine).replace('"tsplayPlan": 1', '"tsplayPlan": "a"'), 'plan-damaged p:2:1'],
  ['without hosts', made(mine).replace('"hosts":', '"host":'), 'plan-damaged p:1:1'],
  ['shares of another kind', made(mine).replace('"with":"controller"', '"with":"moon"'), `plan-damaged ${sealedAt}`],
];
for (const [what, text, expected] of strangers)
  test(`what is no plan is told: ${what}`, (t) => {
    t.deepEqual(opened(text, {passwords: [], key}), [expected]);
  });

test('the file and its readable part conform to the published schema', (t) => {
  const conforms = new Ajv({strict: true, allErrors: true}).compile(planSchema);
  for (const sealing of [mine, {with: 'vault', passwords: two} as const]) {
    const parsed = JSON.parse(made(sealing)) as Record<string, unknown>;
    t.true(conforms(parsed), JSON.stringify(conforms.errors));
    t.true(
      conforms({...parsed, verified: true, sealed: {shares: [{with: 'vault', id: 'dev'}]}}),
      JSON.stringify(conforms.errors),
    );
    t.false(conforms({...parsed, more: 1}));
  }
});

test("the controller's key is made once, and is nobody else's to read", (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tsplay-key-'));
  try {
    const state = join(folder, 'state');
    t.is(controllerKey(state), undefined);
    const first = controllerKey(state, random);
    t.is(first?.length, 32);
    t.deepEqual(controllerKey(state, random), first);
    t.is(statSync(join(state, 'plan-key')).mode & 0o777, 0o600);
    t.is(statSync(state).mode & 0o777, 0o700);
    writeFileSync(join(state, 'plan-key'), 'cut');
    t.is(controllerKey(state), undefined);
  } finally {
    rmSync(folder, {recursive: true});
  }
});
