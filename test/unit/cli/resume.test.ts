// What `--resume` goes on with: found in the history, or said why not.
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {resumePoint, unfinished} from '../../../src/cli/resume.ts';
import type {HostSummary} from '../../../src/engine/event.ts';
import {History} from '../../../src/store/history.ts';

const counts = {ok: 1, changed: 0, failed: 0, skipped: 0, refused: 0, unknown: 0, ignored: 0, roundTrips: 1};
const summary = (status: HostSummary['status']): HostSummary => ({...counts, status});
const play = (...hosts: readonly string[]) => ({play: 'p', hosts, at: 'site.yml:1:1'});

const cases: readonly (readonly [
  name: string,
  plays: readonly (readonly string[])[],
  ended: Readonly<Record<string, HostSummary['status']>>,
  selected: readonly string[],
  left: readonly string[],
])[] = [
  ['all well', [['a', 'b']], {a: 'ok', b: 'changed'}, ['a', 'b'], []],
  ['failed and lost', [['a', 'b', 'c']], {a: 'failed', b: 'ok', c: 'unreachable'}, ['a', 'b', 'c'], ['a', 'c']],
  ['cut off', [['a', 'b']], {}, ['a', 'b'], ['a', 'b']],
  ['a play that never came', [['a']], {a: 'failed', b: 'ok'}, ['a', 'b'], ['a', 'b']],
  ['limited', [['a', 'b', 'c']], {a: 'failed', b: 'failed', c: 'ok'}, ['b', 'c'], ['b']],
  ['a host that is gone', [['a', 'b']], {a: 'ok', b: 'failed'}, ['a'], []],
  ['a host that the run was not meant for', [['a']], {a: 'ok'}, ['a', 'b'], []],
];
for (const [name, plays, ended, selected, left] of cases)
  test(`left: ${name}`, (t) => {
    const hosts = Object.fromEntries(Object.entries(ended).map(([host, status]) => [host, summary(status)]));
    t.deepEqual(unfinished({plays: plays.map((names) => play(...names)), hosts}, new Set(selected)), left);
  });

test('without a run, with a word that is a file, with another one’s', (t) => {
  const state = mkdtempSync(join(tmpdir(), 'tsplay-resume-'));
  try {
    const history = new History(state);
    const of = (word: string | undefined) => resumePoint(history, word, ['site.yml'], new Set(['a']));
    t.like(of(undefined), {code: 'nothing-to-resume', message: 'the history has no run of site.yml'});
    t.like(of('site.yml'), {code: 'no-run', help: 'write --resume behind the playbooks, or --resume=RUN'});
  } finally {
    rmSync(state, {recursive: true, force: true});
  }
});
