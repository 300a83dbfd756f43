// Check mode cannot lie: over random chains of tasks, what check says of a task is what the run then does, or check says which earlier task it
// waits for. TSPLAY_CHAINS and TSPLAY_SEED choose how many and which.
import test from 'ava';
import fc from 'fast-check';
import {runHere, runIn} from '../../lab/proof/lab-host.ts';
import {chain, type ChainTask} from './chain-arbitrary.ts';
import {labMissing, ownSite, type OwnSite} from './own-site.ts';
import {troubles, type Report} from './run-tsplay.ts';

const host = 'bare2';
const chains = Number(process.env['TSPLAY_CHAINS'] ?? 60);
const seed = Number(process.env['TSPLAY_SEED'] ?? 1);
const perPlaybook = 30;
let site: OwnSite;

/** Chains as blocks of one play, so that one that fails does not end the others. */
function playbookOf(all: readonly (readonly ChainTask[])[]): string {
  const blocks = all.map((tasks, i) => ({block: tasks, rescue: [{name: `failed ${i}`, debug: {msg: 'failed'}}]}));
  return JSON.stringify([{name: 'chains', hosts: host, gather_facts: false, tasks: blocks}], undefined, 1);
}

type Told = Report['tasks'][number];

/** What is wrong with what check said of one chain; nothing where the law holds. */
function lies(
  tasks: readonly ChainTask[],
  checked: ReadonlyMap<string, Told>,
  ran: ReadonlyMap<string, Told>,
): string[] {
  const wrong: string[] = [];
  let doubtful = false;
  for (const {name} of tasks) {
    const foretold = checked.get(name);
    const real = ran.get(name);
    if (foretold?.status === 'unknown') {
      doubtful = true;
      if (foretold.everyRun !== true && !isEarlier(foretold.message ?? '', name))
        wrong.push(`${name}: unknown for no earlier task: ${foretold.message ?? ''}`);
      continue;
    }
    if (real === undefined && (foretold === undefined || doubtful)) continue;
    if (real === undefined || foretold === undefined)
      wrong.push(
        `${name}: check ${foretold?.status ?? 'never came to it'}, run ${real?.status ?? 'never came to it'}: ${foretold?.message ?? real?.message ?? ''}`,
      );
    else if (real.status !== foretold.status)
      wrong.push(
        `${name}: check ${foretold.status} (${foretold.message ?? ''}), run ${real.status} (${real.message ?? ''})`,
      );
    else if (real.diff !== foretold.diff) wrong.push(`${name}: check\n${foretold.diff ?? ''}\nrun\n${real.diff ?? ''}`);
  }
  return wrong;
}

/** Whether a message names a task in front of this one: of the same chain, or of one before it that changes what both look at. */
function isEarlier(message: string, name: string): boolean {
  const cause = /task "(chain \d+ task \d+)"/.exec(message)?.[1];
  const [mine, theirs] = [name, cause ?? ''].map((text) => (text.match(/\d+/g) ?? []).map(Number));
  if (theirs?.length !== 2 || mine?.length !== 2) return false;
  return theirs[0]! < mine[0]! || (theirs[0] === mine[0] && theirs[1]! < mine[1]!);
}

const byName = (report: Report): ReadonlyMap<string, Told> => new Map(report.tasks.map((task) => [task.task, task]));

if (labMissing !== undefined) test.skip(`chains: ${labMissing}`, () => undefined);
else {
  test.before(async (t) => {
    t.timeout(60_000);
    const reset = await runHere(['bash', 'lab/lab.sh', 'reset', host], '', 60_000);
    t.is(reset.exit, 0, reset.stderr);
    site = await ownSite();
    await runIn(host, ['mkdir', '-p', '/srv/law']);
  });
  test.after.always(() => site.remove());

  test.serial('check tells what the run does, over random chains', async (t) => {
    t.timeout(600_000);
    let sure = 0;
    const liars: string[] = [];
    for (let from = 0; from < chains; from += perPlaybook) {
      const numbers = Array.from({length: Math.min(perPlaybook, chains - from)}, (_, i) => from + i);
      const made = numbers.map((n) => fc.sample(chain(n), {numRuns: 1, seed: seed * 100_000 + n})[0]!);
      await runIn(host, ['mkdir', ...numbers.map((n) => `/srv/law/${n}`)]);
      const playbook = playbookOf(made);
      const checked = await site.play('check', playbook);
      t.true([0, 8, 10].includes(checked.exit), troubles(checked));
      const ran = await site.play('run', playbook);
      t.true([0, 2].includes(ran.exit), troubles(ran));
      for (const tasks of made) {
        const wrong = lies(tasks, byName(checked.report), byName(ran.report));
        if (wrong.length > 0) liars.push([...wrong, ...tasks.map((task) => JSON.stringify(task))].join('\n'));
        sure += tasks.filter(({name}) => byName(checked.report).get(name)?.status !== 'unknown').length;
      }
    }
    t.is(liars.length, 0, liars.join('\n\n'));
    t.log(`${chains} chains, ${sure} tasks foretold for sure`);
    t.true(sure > chains * 2);
  });
}
