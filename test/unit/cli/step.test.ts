// `--step` asks one question at a time and means what is answered; `--profile` adds up.
import {setTimeout as sleep} from 'node:timers/promises';
import {Ajv} from 'ajv';
import test from 'ava';
import {confirmSteps} from '../../../src/cli/step.ts';
import {outputSchema} from '../../../src/report/output-schema.ts';
import {Profiler, profileTable} from '../../../src/report/profile.ts';
import type {RunEvent, TaskResult} from '../../../src/engine/event.ts';

function answering(answers: string[]): {
  asked: string[];
  ask: (question: string) => Promise<string>;
  most: () => number;
} {
  const asked: string[] = [];
  let open = 0;
  let most = 0;
  return {
    asked,
    most: () => most,
    ask: async (question) => {
      most = Math.max(most, ++open);
      asked.push(question);
      await sleep(1);
      open--;
      return answers.shift() ?? 'n';
    },
  };
}

const table: readonly (readonly [answers: string[], expected: boolean[], questions: number])[] = [
  [['y', 'yes', 'Y '], [true, true, true], 3],
  [['n', 'no', ''], [false, false, false], 3],
  [['y', 'c'], [true, true, true], 2],
  [['what?', 'n', 'continue'], [false, true, true], 3],
];
for (const [answers, expected, questions] of table)
  test(`--step answered with ${JSON.stringify(answers)}`, async (t) => {
    const {asked, ask, most} = answering([...answers]);
    const confirm = confirmSteps(ask);
    const got = await Promise.all(['h1', 'h2', 'h3'].map((host) => confirm('a task', host)));
    t.deepEqual(got, expected);
    t.is(asked.length, questions);
    t.is(asked[0], 'a task on h1? (y)es/(n)o/(c)ontinue: ');
    t.is(most(), 1);
  });

test('--step without a terminal to answer on says so for every question', async (t) => {
  const confirm = confirmSteps(() => Promise.reject(new Error('gone')));
  await t.throwsAsync(confirm('a', 'h1'), {message: 'gone'});
  await t.throwsAsync(confirm('b', 'h1'), {message: 'gone'});
});

const result = (host: string, task: string, durationMs: number): RunEvent => ({
  event: 'task-finished',
  result: {host, task, module: 'copy', at: `site.yml:${task.length}:1`, durationMs} as TaskResult,
});

test('--profile: the slowest task first, with the host that took longest; each host with its parts', (t) => {
  const profiler = new Profiler();
  profiler.on({event: 'host-connected', host: 'h1', via: 'ssh', durationMs: 40});
  profiler.on({event: 'exchange', host: 'h1', user: undefined, fragments: 1, durationMs: 20});
  profiler.on({event: 'exchange', host: 'h1', user: 'root', fragments: 1, durationMs: 10});
  for (const event of [
    result('h1', 'short', 5),
    result('h1', 'looped', 10),
    result('h1', 'looped', 20),
    result('h2', 'looped', 25),
  ])
    profiler.on(event);
  const profile = profiler.profile(new Map([['h1', 7]]));
  t.deepEqual(
    profile.tasks.map(({task, hosts, longestMs, longestOn, totalMs}) => [task, hosts, longestMs, longestOn, totalMs]),
    [
      ['looped', 2, 30, 'h1', 55],
      ['short', 1, 5, 'h1', 5],
    ],
  );
  const {h1, h2} = profile.hosts;
  t.like(h1, {connectMs: 40, exchangesMs: 30, planningMs: 7});
  t.true(h1!.totalMs >= 40);
  t.like(h2, {connectMs: 0, exchangesMs: 0, planningMs: 0});
  const text = profileTable(profile);
  t.regex(text, /SLOWEST TASKS\n {2}longest +task +on +at\n {2}0\.03 s +looped \(copy\) +h1, 2 hosts +site\.yml:6:1\n/);
  t.regex(text, /TIME BY HOST\n {2}host +connect +exchanges +planning +total\n/);
  const {properties} = outputSchema as {properties: {profile: object}};
  const conforms = new Ajv({strict: true, allErrors: true}).compile(properties.profile);
  t.true(conforms(profile), JSON.stringify(conforms.errors));
});
