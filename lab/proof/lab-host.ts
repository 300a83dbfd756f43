import {spawn} from 'node:child_process';
import path from 'node:path';

/** How a command ended. `exit`: -1 = killed, for instance after its time was over. */
export type Ended = {readonly exit: number; readonly stdout: string; readonly stderr: string};

const checkout = path.dirname(path.dirname(import.meta.dirname));
export const labFolder = process.env['TSPLAY_LAB'] ?? '/var/lib/tsplay-lab';

/** Runs a program of this machine. `stdin` is all it gets to read; after `limitMs` it is killed. */
export function runHere(argv: readonly [string, ...string[]], stdin = '', limitMs = 60_000): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const [program, ...rest] = argv;
    const child = spawn(program, rest, {cwd: checkout, stdio: 'pipe', timeout: limitMs, killSignal: 'SIGKILL'});
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.stdin.on('error', () => undefined); // it may end without reading
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({exit: code ?? -1, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString()});
    });
    child.stdin.end(stdin);
  });
}

/** Runs a program as root inside a lab host, past its sshd. */
export function runIn(host: string, argv: readonly string[], stdin = ''): Promise<Ended> {
  return runHere(['bash', 'lab/lab.sh', 'exec', host, ...argv], stdin);
}

/** Runs shell text as an account of a lab host, with its own home. */
export function shellAs(host: string, user: string, script: string, stdin = ''): Promise<Ended> {
  return runIn(host, ['runuser', '-l', user, '-s', '/bin/bash', '-c', script], stdin);
}

/** The last line that says something, for showing why a command failed. */
export function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1)?.trim() ?? '';
}
