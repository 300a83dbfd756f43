// Sends a message about changes of state: to a webhook, a command, by mail. A receiver that hangs holds up nobody: everything has a time limit, and what did not arrive goes back to the queue.
import {spawn} from 'node:child_process';
import {createHmac} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {hostname} from 'node:os';
import type {NoticeJob} from './queue.ts';
import type {NotifyTarget} from './schedule.ts';

/** What sending needs of the world. *units*: `timeoutMs` ms for one message. */
export type Messengers = {
  readonly fetch: typeof globalThis.fetch;
  readonly now: () => Date;
  readonly timeoutMs: number;
  /** the program that takes mail, as sendmail does */
  readonly sendmail: string;
};

/** Sends it. undefined = it has arrived; otherwise why not, in a sentence. */
export async function sendNotice(
  messengers: Messengers,
  target: NotifyTarget,
  notice: NoticeJob,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(messengers.timeoutMs)]);
    switch (target.to) {
      case 'webhook':
        return await post(messengers, target, notice, limit);
      case 'command':
        return await pipe(target.argv, `${JSON.stringify(messageOf(notice))}\n`, limit);
      case 'mail':
        return await pipe(
          [messengers.sendmail, '-i', '--', target.address],
          mailOf(target.address, notice, messengers.now()),
          limit,
        );
    }
  } catch (error) {
    return `${describe(target)} could not be told: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/**
 * The signature of a webhook's body: `sha256=` and the HMAC of `TIMESTAMP.BODY` in hex. The timestamp (s since the epoch) is signed too, so that an old message cannot
 * be sent again by somebody else.
 */
export function signatureOf(secret: string, timestamp: string, body: string): string {
  return `sha256=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
}

/** The message as receivers get it. */
export function messageOf({schedule, changes}: NoticeJob): {
  readonly schema: 1;
  readonly event: 'host-state-changed';
  readonly schedule: string;
  readonly controller: string;
  readonly changes: NoticeJob['changes'];
} {
  return {schema: 1, event: 'host-state-changed', schedule, controller: hostname(), changes};
}

async function post(
  {fetch, now}: Messengers,
  target: Extract<NotifyTarget, {to: 'webhook'}>,
  notice: NoticeJob,
  signal: AbortSignal,
): Promise<string | undefined> {
  const body = JSON.stringify(messageOf(notice));
  const timestamp = String(Math.floor(now().getTime() / 1000));
  const secret = target.secretFile === undefined ? undefined : (await readFile(target.secretFile, 'utf8')).trim();
  const response = await fetch(target.url, {
    method: 'POST',
    body,
    signal,
    // another address than the one that was named gets nothing
    redirect: 'error',
    headers: {
      'content-type': 'application/json',
      'user-agent': 'tsplay',
      'x-tsplay-timestamp': timestamp,
      ...(secret === undefined ? {} : {'x-tsplay-signature': signatureOf(secret, timestamp, body)}),
    },
  });
  await response.body?.cancel();
  return response.ok ? undefined : `${describe(target)} answered ${response.status}`;
}

/** Runs a program with a text on its stdin. */
function pipe(argv: readonly string[], text: string, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const [program = '', ...rest] = argv;
    // a process group of its own: what it started is ended with it
    const child = spawn(program, rest, {stdio: ['pipe', 'ignore', 'pipe'], detached: true});
    let said = '';
    const end = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // it has ended by itself
      }
      resolve(`${program} took too long`);
    };
    signal.addEventListener('abort', end, {once: true});
    child.stdin.on('error', () => undefined);
    child.stderr.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-500)));
    child.on('error', (error) => resolve(`${program} cannot be run: ${error.message}`));
    child.on('close', (code) => {
      signal.removeEventListener('abort', end);
      resolve(code === 0 ? undefined : `${program} ended with status ${code ?? 'none'}: ${said.trim()}`);
    });
    child.stdin.end(text);
  });
}

function mailOf(address: string, {schedule, changes}: NoticeJob, now: Date): string {
  const line = (text: string): string => text.replaceAll(/[\r\n]+/g, ' ');
  const states = [...new Set(changes.map(({after}) => after))].join(', ');
  return [
    `To: ${line(address)}`,
    `Subject: tsplay ${line(schedule)}: ${changes.length} ${changes.length === 1 ? 'host' : 'hosts'} ${states}`,
    `Date: ${now.toUTCString().replace('GMT', '+0000')}`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Auto-Submitted: auto-generated',
    '',
    ...changes.map(
      ({host, before, after, message, run}) =>
        `${line(host)}: ${before ?? 'new'} -> ${after}${message === undefined ? '' : `: ${line(message)}`}${run === undefined ? '' : ` (tsplay history show ${run})`}`,
    ),
    '',
  ].join('\n');
}

function describe(target: NotifyTarget): string {
  switch (target.to) {
    case 'webhook':
      // a path or a query may be the receiver's secret
      return `the webhook at ${new URL(target.url).host}`;
    case 'command':
      return target.argv[0] ?? 'the command';
    case 'mail':
      return target.address;
  }
}
