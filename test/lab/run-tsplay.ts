import {spawn} from 'node:child_process';
import path from 'node:path';

const checkout = path.dirname(path.dirname(import.meta.dirname));

/** The parts of `--output json` (cli.md) that tests look at. */
export type Report = {
  readonly run: {readonly mode: string; readonly exit: number};
  readonly hosts: Readonly<
    Record<
      string,
      {
        readonly status: string;
        readonly ok: number;
        readonly changed: number;
        readonly failed: number;
        readonly refused: number;
        readonly skipped: number;
        readonly ignored: number;
        readonly unknown: number;
        readonly roundTrips: number;
      }
    >
  >;
  readonly tasks: readonly {
    readonly host: string;
    readonly task: string;
    readonly module: string;
    readonly status: string;
    readonly diff?: string;
    readonly everyRun?: boolean;
    readonly item?: unknown;
    readonly message?: string;
    readonly findings?: readonly {readonly severity: string; readonly code: string; readonly message: string}[];
    readonly changes?: readonly unknown[];
    readonly pending?: readonly string[];
    readonly notified?: readonly string[];
  }[];
  readonly problems: readonly {readonly severity: string; readonly code: string; readonly message: string}[];
};

export type Finished = {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
  /** the document on stdout, where `--output json` was asked for */
  readonly report: Report;
};

/**
 * Runs the command line as a user does, in the checkout or in another folder. `env` is added to the environment.
 * *errors*: throws where `--output json` was asked for and stdout is no JSON document.
 */
export function tsplay(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd: string = checkout,
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path.join(checkout, 'bin', 'tsplay.js'), ...argv], {
      cwd,
      env: {...process.env, NODE_OPTIONS: '', NO_COLOR: '1', ...env},
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      const stdout = Buffer.concat(out).toString();
      const stderr = Buffer.concat(err).toString();
      const wantsJson = argv.includes('json');
      try {
        const report = (wantsJson ? JSON.parse(stdout) : {hosts: {}, tasks: [], problems: []}) as Report;
        resolve({exit: code ?? -1, stdout, stderr, report});
      } catch {
        reject(new Error(`stdout is no JSON document:\n${stdout.slice(0, 2000)}\n${stderr.slice(0, 2000)}`));
      }
    });
  });
}

/** What went wrong, for the message of a failed assertion. */
export function troubles({report, stderr}: Finished): string {
  const tasks = report.tasks
    .filter(({status}) => ['failed', 'refused', 'changed', 'unknown'].includes(status))
    .map(
      (t) =>
        `${t.host}: ${t.task}: ${t.status} ${t.message ?? ''} ${(t.findings ?? []).map((f) => f.message).join('; ')}\n${t.diff ?? ''}`,
    );
  return `${tasks.join('\n')}\n${stderr}`;
}
