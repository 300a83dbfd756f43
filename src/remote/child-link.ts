// A program on this machine as a link.
import type {ChildProcessWithoutNullStreams} from 'node:child_process';
import type {ShellLink} from './link.ts';

/**
 * The three pipes of a child process. `closed` comes after the last byte of its output. `lostExit` is the exit status by
 * which the program says that its connection broke (ssh: 255).
 */
export function childLink(child: ChildProcessWithoutNullStreams, what: string, lostExit?: number): ShellLink {
  const closed = new Promise<string>((resolve) => {
    child.once('error', (problem) => resolve(`${what} could not be started: ${problem.message}`));
    child.once('close', (exit, signal) =>
      resolve(signal === null ? `${what} ended with exit ${exit ?? 'unknown'}` : `${what} was killed by ${signal}`),
    );
  });
  child.stdin.on('error', () => undefined);
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    closed,
    lost: () => lostExit !== undefined && child.exitCode === lostExit,
    close: () => {
      child.stdin.destroy();
      child.stdout.destroy();
      child.stderr.destroy();
      child.kill('SIGHUP');
    },
  };
}
