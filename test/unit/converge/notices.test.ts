// Messages: signed, limited in time, and what did not arrive is said.
import {createServer, type IncomingMessage, type Server} from 'node:http';
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {sendNotice, signatureOf, type Messengers} from '../../../src/converge/notices.ts';
import type {NoticeJob} from '../../../src/converge/queue.ts';

const notice: NoticeJob = {
  schedule: 'nightly',
  target: 0,
  changes: [
    {
      schedule: 'nightly',
      host: 'web1',
      before: 'in sync',
      after: 'drifted',
      at: '2026-01-01T00:00:00.000Z',
      run: 'r',
      message: 'two\nlines',
    },
  ],
};
const messengers: Messengers = {fetch, now: () => new Date(1_800_000_000_000), timeoutMs: 300, sendmail: 'sendmail'};
const never = new AbortController().signal;

async function listening(
  handler: (request: IncomingMessage, body: string) => number | undefined,
): Promise<{url: string; server: Server}> {
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const status = handler(request, Buffer.concat(parts).toString());
      // undefined: a receiver that takes everything and never answers
      if (status !== undefined) response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`};
}

test('a webhook gets a body that it can verify', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'tsplay-hook-'));
  const secretFile = join(folder, 'secret');
  await writeFile(secretFile, 'shared\n');
  let verified = false;
  const {server, url} = await listening((request, body) => {
    const timestamp = String(request.headers['x-tsplay-timestamp']);
    verified =
      request.headers['x-tsplay-signature'] === signatureOf('shared', timestamp, body) &&
      timestamp === '1800000000' &&
      body.includes('"web1"');
    return 204;
  });
  t.is(await sendNotice(messengers, {to: 'webhook', url, secretFile}, notice, never), undefined);
  t.true(verified);
  server.close();
  await rm(folder, {recursive: true});
});

test('a webhook that hangs is given up, one that refuses is said', async (t) => {
  const hangs = await listening(() => undefined);
  const hung = await sendNotice(messengers, {to: 'webhook', url: hangs.url, secretFile: undefined}, notice, never);
  t.regex(hung ?? '', /could not be told/);
  const refuses = await listening(() => 500);
  const refused = await sendNotice(messengers, {to: 'webhook', url: refuses.url, secretFile: undefined}, notice, never);
  t.regex(refused ?? '', /answered 500/);
  for (const {server} of [hangs, refuses]) {
    server.closeAllConnections();
    server.close();
  }
});

test('a command gets the message on stdin; one that hangs is ended', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'tsplay-notify-'));
  const out = join(folder, 'out');
  t.is(
    await sendNotice(
      {...messengers, timeoutMs: 20_000},
      {to: 'command', argv: ['sh', '-c', `cat > ${out}`]},
      notice,
      never,
    ),
    undefined,
  );
  t.is((JSON.parse(await readFile(out, 'utf8')) as {changes: {host: string}[]}).changes[0]?.host, 'web1');
  t.regex((await sendNotice(messengers, {to: 'command', argv: ['sleep', '600']}, notice, never)) ?? '', /too long/);
  t.regex((await sendNotice(messengers, {to: 'command', argv: ['/no/such']}, notice, never)) ?? '', /cannot be run/);
  const mail = join(folder, 'mail');
  const sendmail = join(folder, 'sendmail');
  await writeFile(sendmail, `#!/bin/sh\necho "$@" > ${mail}\ncat >> ${mail}\n`, {mode: 0o755});
  t.is(
    await sendNotice(
      {...messengers, timeoutMs: 20_000, sendmail},
      {to: 'mail', address: 'ops@example.org'},
      notice,
      never,
    ),
    undefined,
  );
  const text = await readFile(mail, 'utf8');
  t.regex(text, /^-i -- ops@example\.org\nTo: ops@example\.org\nSubject: tsplay nightly: 1 host drifted\n/);
  t.true(text.includes('web1: in sync -> drifted: two lines'));
  await rm(folder, {recursive: true});
});
