// How the system's ssh gets a password: from a pipe that it reads through SSH_ASKPASS, never from the environment or a
// file. Each answer is given once, so that a wrong one is not sent again and again.
import {execFileSync} from 'node:child_process';
import {constants} from 'node:fs';
import {open, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {Secret} from '../base/secret.ts';

/** Answers to ssh's questions. `env` goes to ssh; `stop` takes back what was not asked for. */
export type Askpass = {readonly env: Readonly<Record<string, string>>; readonly stop: () => Promise<void>};

/** Prepares answers in `folder`, which only we may read. Undefined when there is nothing to answer with. */
export async function prepareAskpass(
  folder: string,
  answers: {readonly password: Secret | undefined; readonly passphrase: Secret | undefined},
): Promise<Askpass | undefined> {
  const given = Object.entries(answers).filter((entry): entry is [string, Secret] => entry[1] !== undefined);
  if (given.length === 0) return undefined;
  const program = join(folder, 'askpass');
  await writeFile(
    program,
    `#!/bin/sh
[ "$SSH_ASKPASS_PROMPT" = none ] && exit 0
case $1 in
  *[Pp]assphrase*) kind=passphrase ;;
  *[Pp]assword*) kind=password ;;
  *) exit 1 ;;
esac
[ -p '${folder}'/$kind ] && mkdir '${folder}'/$kind.given 2>/dev/null && exec cat '${folder}'/$kind
exit 1
`,
    {mode: 0o700},
  );
  let stopped = false;
  const writing = given.map(async ([kind, secret]) => {
    const pipe = join(folder, kind);
    execFileSync('mkfifo', ['-m', '600', pipe]);
    // Opening waits until somebody reads: ssh, or `stop`.
    const handle = await open(pipe, constants.O_WRONLY);
    try {
      if (!stopped) await handle.write(`${secret.reveal()}\n`);
    } finally {
      await handle.close();
    }
  });
  return {
    env: {SSH_ASKPASS: program, SSH_ASKPASS_REQUIRE: 'force', DISPLAY: ':0'},
    stop: async () => {
      stopped = true;
      const readers = await Promise.all(
        given.map(([kind]) => open(join(folder, kind), constants.O_RDONLY | constants.O_NONBLOCK)),
      );
      await Promise.all(writing.map((one) => one.catch(() => undefined)));
      await Promise.all(readers.map((reader) => reader.close()));
    },
  };
}
