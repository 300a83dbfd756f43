import {spawnSync} from 'node:child_process';
import {chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {realAmbient} from '../../../src/remote/ambient.ts';
import {connectLocal} from '../../../src/remote/local.ts';
import type {Fragment, Outcome} from '../../../src/remote/session.ts';
import type {Settings} from '../../../src/remote/settings.ts';

// Fragments run for real, in the shells and with the programs that hosts have: Debian's, and busybox alone.

const settings: Settings = {
  env: {PATH: process.env['PATH'], HOME: tmpdir(), USER: 'tester'},
  ambient: realAmbient,
  atExit: '',
  trace: false,
  log: () => undefined,
};

const busybox = ['/bin/busybox', '/usr/bin/busybox'].find((path) => existsSync(path));
const isRoot = process.getuid?.() === 0;

/** A host to be: where fragments run. `path` is put in front of each. */
export type Shell = {
  readonly name: string;
  readonly argv: readonly [string, ...string[]];
  readonly path: string | undefined;
  readonly why: string | undefined;
};

let applets: string | undefined;
function appletDirectory(): string {
  if (applets !== undefined) return applets;
  applets = mkdtempSync(join(tmpdir(), 'tsplay-applets-'));
  chmodSync(applets, 0o755);
  const list = spawnSync(busybox!, ['--list'], {encoding: 'utf8'}).stdout.split('\n');
  for (const applet of list) if (applet !== '') symlinkSync(busybox!, join(applets, applet));
  return applets;
}
process.on('exit', () => applets !== undefined && rmSync(applets, {recursive: true, force: true}));

const shells: readonly Shell[] = [
  {name: 'dash', argv: ['/bin/sh'], path: undefined, why: undefined},
  {
    name: 'busybox',
    argv: [busybox ?? 'busybox', 'sh'],
    path: busybox === undefined ? undefined : appletDirectory(),
    why: busybox === undefined ? 'busybox is not installed' : undefined,
  },
];

/** A bound host: a directory of its own, and a way to run fragments in it. */
export type Place = {
  readonly dir: string;
  readonly run: (fragments: readonly Fragment[], options?: {user?: string}) => Promise<readonly Outcome[]>;
  /** a session that stays, for what hangs on its shell */
  readonly open: (
    atExit?: string,
  ) => Promise<{run: (fragments: readonly Fragment[]) => Promise<readonly Outcome[]>; close: () => Promise<void>}>;
};

/** A test that runs once in each shell; it is skipped, with the reason in its title, where there is none. */
export function eachShell(
  title: string,
  body: (t: ExecutionContext, place: Place) => Promise<void>,
  needs?: 'root',
): void {
  for (const shell of shells) {
    const why = shell.why ?? (needs === 'root' && !isRoot ? 'needs root' : undefined);
    const name = `${shell.name}: ${title}`;
    if (why !== undefined) {
      test.skip(`${name} (skipped: ${why})`, () => undefined);
      continue;
    }
    test(name, async (t) => {
      const base = mkdtempSync(join(tmpdir(), 'tsplay-test-'));
      chmodSync(base, 0o755);
      const dir = join(base, 'h');
      mkdirSync(dir);
      try {
        await body(t, {
          dir,
          run: (fragments, options) => runIn(shell, fragments, options?.user),
          open: (atExit) => openIn(shell, atExit ?? ''),
        });
      } finally {
        rmSync(base, {recursive: true, force: true});
      }
    });
  }
}

async function openIn(shell: Shell, atExit: string): Promise<Awaited<ReturnType<Place['open']>>> {
  const connection = connectLocal({...settings, atExit}, shell.argv);
  const session = await connection.session();
  return {
    run: (fragments) => session.exchange(fragments.map((fragment) => prefixed(shell, fragment))),
    close: async () => connection[Symbol.asyncDispose](),
  };
}

function prefixed(shell: Shell, fragment: Fragment): Fragment {
  return shell.path === undefined ? fragment : {...fragment, shell: `PATH=${shell.path}\n${fragment.shell}`};
}

async function runIn(
  shell: Shell,
  fragments: readonly Fragment[],
  user: string | undefined,
): Promise<readonly Outcome[]> {
  const argv: readonly [string, ...string[]] =
    user === undefined ? shell.argv : ['/bin/su', user, '-s', '/bin/sh', '-c', `exec ${shell.argv.join(' ')}`];
  await using connection = connectLocal(settings, argv);
  const session = await connection.session();
  return await session.exchange(fragments.map((fragment) => prefixed(shell, fragment)));
}

/** The fragment with tsplay's own directories, root's or an account's, below a test's: nothing is written outside. */
export function confined(fragment: Fragment, dir: string): Fragment {
  const own = '${HOME:?}/.local/state/tsplay';
  const move = (text: string): string =>
    text
      .replaceAll(`S=${own} R=${own}`, `S='${dir}/lib' R='${dir}/run'`)
      .replaceAll('/var/lib/tsplay', `${dir}/lib`)
      .replaceAll('/run/tsplay', `${dir}/run`);
  return {...fragment, shell: move(fragment.shell)};
}

/** Exit status and stderr of a fragment that ran. */
export function verdict(outcome: Outcome | undefined): string {
  if (outcome?.ran !== true) return 'not run';
  return `${outcome.reply.exit} ${Buffer.from(outcome.reply.stderr).toString()}`.trim();
}

/** Stdout of a fragment that ran. */
export function output(outcome: Outcome | undefined): string {
  return outcome?.ran === true ? Buffer.from(outcome.reply.stdout).toString() : '';
}
