// A fleet of plain hosts under three controllers on one real PostgreSQL, while controllers are killed and hosts are changed by hand; and the embedded database under
// kill -9. Short by default; TSPLAY_SOAK is for how many rounds it goes on.
import {spawn, spawnSync, type ChildProcess} from 'node:child_process';
import {mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {chmodSync, chownSync, existsSync, mkdirSync, openSync, readdirSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import {labFolder, runHere, runIn} from '../../lab/proof/lab-host.ts';
import type {Overview} from '../../src/converge/control.ts';

const FIRST = Number(process.env['TSPLAY_CONVERGE_HOST'] ?? 70);
const hosts = Array.from({length: 6}, (_, i) => ({name: `plain${FIRST + i}`, address: `10.77.1.${FIRST + i}`}));
const rounds = Number(process.env['TSPLAY_SOAK'] ?? 2);
const checkout = path.dirname(path.dirname(import.meta.dirname));
const bin = path.join(checkout, 'bin', 'tsplay.js');
const postgres = existsSync('/usr/lib/postgresql')
  ? readdirSync('/usr/lib/postgresql')
      .map((version) => `/usr/lib/postgresql/${version}/bin`)
      .find((folder) => existsSync(`${folder}/initdb`))
  : undefined;
const missing = !existsSync(path.join(labFolder, 'id'))
  ? 'the lab is not up (npm run lab -- up)'
  : process.getuid?.() !== 0
    ? 'only root can start PostgreSQL as its own account'
    : postgres === undefined
      ? 'PostgreSQL is not installed'
      : undefined;

let folder: string;
let site: string;
const running = new Set<ChildProcess>();

/** Runs a command of tsplay in the site. */
function tsplay(
  state: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): {exit: number; stdout: string; stderr: string} {
  const done = spawnSync(process.execPath, [bin, ...args], {
    cwd: site,
    encoding: 'utf8',
    env: {...process.env, NODE_OPTIONS: '', NO_COLOR: '1', TSPLAY_STATE: path.join(folder, state), ...env},
  });
  return {exit: done.status ?? -1, stdout: done.stdout, stderr: done.stderr};
}

/** Starts a service in the site. */
function service(state: string, env: Readonly<Record<string, string>> = {}): ChildProcess {
  const log = openSync(path.join(folder, `${state}.log`), 'a');
  const child = spawn(process.execPath, [bin, 'service', '--port', '0'], {
    cwd: site,
    stdio: ['ignore', log, log],
    env: {...process.env, NODE_OPTIONS: '', TSPLAY_STATE: path.join(folder, state), ...env},
  });
  running.add(child);
  child.on('exit', () => running.delete(child));
  return child;
}

async function ended(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
  const over = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.kill(signal);
  return over;
}

function overview(state: string, env: Readonly<Record<string, string>> = {}): Overview {
  const {stdout, stderr} = tsplay(state, ['schedule', 'list', '--output', 'json'], env);
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Overview;
}

/** Waits until something holds. */
async function until(what: string, holds: () => Promise<boolean> | boolean, limitMs: number): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${limitMs / 1000} s: ${what}`);
    await sleep(500);
  }
}

const motd = async (host: string): Promise<string> => (await runIn(host, ['cat', '/etc/motd'])).stdout;

if (missing !== undefined) test.skip(`scheduled convergence: ${missing}`, () => undefined);
else {
  test.before(async (t) => {
    t.timeout(120_000);
    const up = await runHere(['bash', 'lab/lab.sh', 'up', ...hosts.map(({name}) => name)], '', 100_000);
    t.is(up.exit, 0, up.stderr);
    folder = await mkdtemp(path.join(tmpdir(), 'tsplay-converge-'));
    chmodSync(folder, 0o755);
    site = path.join(folder, 'site');
    mkdirSync(site);
    const lines = hosts.map(({name, address}) => `    ${name}: {ansible_host: ${address}}\n`).join('');
    await writeFile(path.join(site, 'hosts.yml'), `all:\n  vars: {ansible_user: root}\n  hosts:\n${lines}`);
    await writeFile(
      path.join(site, 'site.yml'),
      '- hosts: all\n  tasks:\n    - copy: {dest: /etc/motd, content: "declared\\n"}\n',
    );
    await writeFile(
      path.join(site, 'tsplay.yml'),
      `inventory: hosts.yml\nknown_hosts: ${labFolder}/known_hosts\nprivate_key: ${labFolder}/id\n`,
      {mode: 0o600},
    );
  });
  test.after.always(async () => {
    await Promise.all([...running].map((child) => ended(child, 'SIGKILL')));
    if (postgres !== undefined && existsSync(path.join(folder, 'pg')))
      spawnSync('setpriv', [
        '--reuid=postgres',
        '--regid=postgres',
        '--clear-groups',
        `${postgres}/pg_ctl`,
        '-D',
        path.join(folder, 'pg'),
        '-m',
        'immediate',
        'stop',
      ]);
    await rm(folder, {recursive: true, force: true});
  });

  test.serial(
    'embedded: a service that is killed loses no schedule and no record; a second one is refused',
    async (t) => {
      t.timeout(120_000 + rounds * 30_000);
      t.is(tsplay('lone', ['schedule', 'add', 'fleet', '--cron', '0 0 1 1 *', '--', 'run', 'site.yml']).exit, 0);
      for (let round = 0; round < rounds; round++) {
        const child = service('lone');
        await until('the service lives', () => overview('lone').controllers.length > 0, 30_000);
        if (round === 0) {
          const second = tsplay('lone', ['service', '--port', '0']);
          t.is(second.exit, 1);
          t.regex(second.stderr, new RegExp(`process ${child.pid}`));
        }
        const before = overview('lone').schedules[0]?.lastFiring?.due;
        t.is(tsplay('lone', ['schedule', 'run', 'fleet']).exit, 0);
        // killed at some moment of the run; the next life does what is left
        await sleep((round * 137) % 1500);
        await ended(child, 'SIGKILL');
        const next = service('lone');
        await until(
          'the pass is over',
          () => {
            const last = overview('lone').schedules[0]?.lastFiring;
            return last !== undefined && last !== null && last.due !== before && last.finished !== null;
          },
          90_000,
        );
        t.is(await ended(next, 'SIGTERM'), 0, await readFile(path.join(folder, 'lone.log'), 'utf8'));
      }
      const {schedules} = overview('lone');
      t.is(schedules.length, 1);
      t.is((schedules[0]?.states['in sync'] ?? 0) + (schedules[0]?.states.fixed ?? 0), hosts.length);
      const verify = tsplay('lone', ['history', 'verify']);
      t.is(verify.exit, 0, verify.stdout + verify.stderr);
    },
  );

  test.serial(
    'three controllers share a fleet on PostgreSQL; one is killed; what was changed by hand is put right',
    async (t) => {
      t.timeout(180_000 + rounds * 120_000);
      const [data, socket] = [path.join(folder, 'pg'), path.join(folder, 'pgsock')];
      const {uid, gid} = await postgresAccount();
      for (const each of [data, socket]) {
        mkdirSync(each);
        chownSync(each, uid, gid);
      }
      const as = (...argv: string[]): void => {
        const done = spawnSync('setpriv', ['--reuid=postgres', '--regid=postgres', '--clear-groups', ...argv], {
          encoding: 'utf8',
          cwd: '/',
          stdio: ['ignore', 'ignore', 'pipe'],
        });
        t.is(done.status, 0, done.stderr);
      };
      as(`${postgres}/initdb`, '-D', data, '-A', 'trust', '-N');
      as(
        `${postgres}/pg_ctl`,
        '-D',
        data,
        '-o',
        `-k ${socket} -c listen_addresses=''`,
        '-l',
        path.join(data, 'log'),
        '-w',
        'start',
      );
      as(`${postgres}/createdb`, '-h', socket, 'tsplay');
      const env = {TSPLAY_DATABASE: `postgresql://postgres@/tsplay?host=${socket}`};
      t.is(tsplay('one', ['schedule', 'add', 'fleet', '--cron', '* * * * *', '--', 'run', 'site.yml'], env).exit, 0);
      const states = ['one', 'two', 'three'];
      const children = new Map(states.map((state) => [state, service(state, env)]));
      await until('three controllers live', () => overview('one', env).controllers.length === 3, 30_000);
      for (let round = 0; round < rounds; round++) {
        const victim = states[round % 3]!;
        const [changed] = hosts.slice(round % hosts.length);
        await runIn(changed!.name, ['sh', '-c', 'echo by hand >/etc/motd']);
        tsplay('one', ['schedule', 'run', 'fleet'], env);
        await sleep((round * 271) % 1200);
        await ended(children.get(victim)!, 'SIGKILL');
        await until(
          'what was changed is put right within two periods',
          async () => (await motd(changed!.name)) === 'declared\n',
          120_000,
        );
        children.set(victim, service(victim, env));
      }
      await until(
        'everything is told of',
        () =>
          Object.values(overview('one', env).schedules[0]?.states ?? {}).reduce((a, b) => a + b, 0) === hosts.length,
        90_000,
      );
      for (const child of children.values()) t.is(await ended(child, 'SIGTERM'), 0);
      const works: {host: string; from: number; to: number}[] = [];
      for (const state of states) {
        const verify = tsplay(state, ['history', 'verify'], env);
        t.is(verify.exit, 0, `${state}: ${verify.stdout}${verify.stderr}`);
        works.push(...(await worksOf(path.join(folder, state, 'history', 'runs'))));
      }
      const overlaps = works.filter((a, i) =>
        works.some((b, j) => i < j && a.host === b.host && a.from < b.to && b.from < a.to),
      );
      t.deepEqual(overlaps, [], 'no host was worked on by two');
      t.true(works.length >= hosts.length);
    },
  );
}

async function postgresAccount(): Promise<{uid: number; gid: number}> {
  const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find((each) => each.startsWith('postgres:'));
  const [, , uid, gid] = (line ?? '').split(':');
  return {uid: Number(uid), gid: Number(gid)};
}

/** From the first to the last word of a host in each run that came to its end. *units*: ms since the epoch. */
async function worksOf(runs: string): Promise<{host: string; from: number; to: number}[]> {
  const works: {host: string; from: number; to: number}[] = [];
  // a controller may have had nothing to do
  for (const file of existsSync(runs) ? await readdir(runs) : []) {
    const records = (await readFile(path.join(runs, file), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as {record: string; t: number; started?: string; hosts?: string[]});
    const began = Date.parse(records[0]?.started ?? '');
    const play = records.find(({record}) => record === 'play');
    const end = records.find(({record}) => record === 'run-finished');
    if (play === undefined || end === undefined) continue;
    for (const host of play.hosts ?? []) works.push({host, from: began + play.t, to: began + end.t});
  }
  return works;
}
