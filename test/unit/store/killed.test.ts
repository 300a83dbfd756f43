// Controllers that record at the same time and are killed with SIGKILL at any moment: no record is ever broken, and nothing that was said to be written is lost.
import {spawn} from 'node:child_process';
import {join} from 'node:path';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import {History} from '../../../src/store/history.ts';
import {verifyHistory} from '../../../src/store/verify.ts';
import {record, result, stateFolder} from './sample.ts';

const writer = path.join(import.meta.dirname, 'writer.ts');

test('forty controllers, four at a time, each killed at some moment', async (t) => {
  t.timeout(120_000);
  const state = stateFolder();
  const said = new Map<string, number>();
  const one = async (name: string, afterMs: number): Promise<void> => {
    const child = spawn(process.execPath, [writer, state, name], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {...process.env, NODE_OPTIONS: ''},
    });
    child.stdout.on('data', (chunk: Buffer) =>
      said.set(name, (said.get(name) ?? 0) + chunk.toString().split('\n').length - 1),
    );
    const ended = new Promise((resolve) => child.on('close', resolve));
    for (let look = 0; look < 1000 && !said.has(name); look++) await sleep(5);
    await sleep(afterMs);
    child.kill('SIGKILL');
    await ended;
  };
  for (let round = 0; round < 10; round++)
    await Promise.all([0, 1, 2, 3].map((i) => one(`run-${round}-${i}`, (round * 4 + i) * 1.5)));
  const history = new History(state);
  record(history, 'the-next', [result('web1', 'one')]);
  const {problems, open} = verifyHistory(join(state, 'history'));
  t.deepEqual(problems, []);
  t.deepEqual(open, []);
  t.is(history.list().length, 41);
  for (const [name, count] of said) {
    const kept = history.records(name);
    t.is(kept.at(-1)?.record, 'cut-off');
    t.true(
      kept.filter((each) => each.record === 'message').length >= count,
      `${name}: ${count} were said to be written`,
    );
  }
});
