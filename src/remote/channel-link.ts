// A command on an SSH connection as a link.
import type {Client, ClientChannel} from 'ssh2';
import {LinkLost, Unreachable} from './errors.ts';
import type {ShellLink} from './link.ts';

/**
 * Starts a command. `closed` comes after its last byte; a connection that breaks ends the channel without an exit status,
 * which is never success. *errors*: throws {@link Unreachable} when the host opens no channel.
 */
export async function execLink(
  client: Client,
  command: string,
  connectionClosed: Promise<string>,
  name: string,
): Promise<ShellLink> {
  const channel = await openChannel(client, command, connectionClosed, name);
  let exit: {code: number | null; signal?: string} | undefined;
  channel.on('exit', (code: number | null, signal?: string) => {
    exit = {code, ...(signal === undefined ? {} : {signal})};
  });
  const channelClosed = new Promise<string>((resolve) => {
    channel.once('close', () => resolve(endOf(exit)));
    channel.on('error', (problem: Error) => resolve(problem.message));
  });
  const closed = Promise.race([channelClosed, connectionClosed]).then(async (reason) =>
    // A channel that ends without an exit status ends because the connection does.
    exit === undefined ? Promise.race([connectionClosed, soon(reason)]) : reason,
  );
  return {
    stdin: channel.stdin,
    stdout: channel.stdout,
    stderr: channel.stderr,
    closed,
    lost: () => exit === undefined,
    close: () => channel.destroy(),
  };
}

function openChannel(
  client: Client,
  command: string,
  connectionClosed: Promise<string>,
  name: string,
): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    const refuse = (why: string): void =>
      reject(
        new Unreachable(
          'no-shell',
          `${name}: the host opens no channel for a command: ${why}`,
          'MaxSessions or a forced command in sshd_config or authorized_keys may stand in the way',
        ),
      );
    void connectionClosed.then((why) =>
      reject(new LinkLost(`${name}: connection lost: ${why}`, 'the start of a shell')),
    );
    try {
      client.exec(command, (problem, channel) => {
        if (problem === undefined) resolve(channel);
        else refuse(problem.message);
      });
    } catch (problem) {
      refuse((problem as Error).message);
    }
  });
}

function endOf(exit: {code: number | null; signal?: string} | undefined): string {
  if (exit === undefined) return 'the connection was cut';
  if (exit.code === null) return `the shell was killed by ${exit.signal ?? 'a signal'}`;
  return `the shell ended with exit ${exit.code}`;
}

function soon<T>(value: T): Promise<T> {
  return new Promise((resolve) => setTimeout(resolve, 50, value));
}
