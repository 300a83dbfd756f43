// Word by word through the language: each case is run by ansible-playbook and by us (compare.ts says how).
import {mkdirSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {blockCases} from './cases/blocks.ts';
import {handlerCases} from './cases/handlers.ts';
import {loopCases} from './cases/loops.ts';
import {playCases} from './cases/plays.ts';
import {roleCases} from './cases/roles.ts';
import {tagCases} from './cases/tags.ts';
import {variableCases} from './cases/variables.ts';
import {comparable, hasAnsible, runOurs, runTheirs, writeCase, type Case, type Ended} from './compare.ts';

const only = process.env['TSPLAY_CASE'];
const cases: readonly Case[] = [
  ...loopCases,
  ...blockCases,
  ...handlerCases,
  ...playCases,
  ...roleCases,
  ...tagCases,
  ...variableCases,
].filter((one) => only === undefined || one.what.includes(only));

const compared = hasAnsible() ? test : test.skip;
const root = mkdtempSync(join(tmpdir(), 'tsplay-language-'));
const theirs = new Map<Case, Ended>();
const ours = new Map<Case, Ended>();

test.before(async (t) => {
  t.timeout(600_000);
  if (!hasAnsible()) return;
  const folders = cases.map((_, i) => join(root, String(i)));
  for (const [i, one] of cases.entries()) {
    mkdirSync(folders[i]!);
    writeCase(folders[i]!, one);
  }
  for (const [i, ended] of (await runTheirs(cases, folders)).entries()) theirs.set(cases[i]!, ended);
  for (const [i, one] of cases.entries()) ours.set(one, await runOurs(one, folders[i]!));
});

test.after.always(() => rmSync(root, {recursive: true, force: true}));

for (const one of cases)
  compared(one.what, (t) => {
    const [real, own] = [theirs.get(one)!, ours.get(one)!];
    const said = `${own.said}\n--- ansible-playbook:\n${real.said}`;
    t.not(real.trace.length, 0, said);
    const wanted = one.ours?.trace ?? real.trace;
    t.is(comparable(one, own.trace), comparable(one, wanted), said);
    if (one.ours === undefined) t.is(own.exit === 0, real.exit === 0, said);
    else t.not(comparable(one, real.trace), comparable(one, wanted), 'there is no difference any more');
  });
