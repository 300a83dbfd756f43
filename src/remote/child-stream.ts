// A program that carries bytes to and fro (ProxyCommand, `ssh -W`) as one stream, behaving as a socket would.
import type {ChildProcessWithoutNullStreams} from 'node:child_process';
import {Duplex} from 'node:stream';

/** `explain` makes the error of a program that failed (its exit status or what happened, and what it printed to stderr). */
export function childStream(
  child: ChildProcessWithoutNullStreams,
  explain: (why: string, stderr: string) => Error,
): Duplex {
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString('utf8')).slice(-2000)));
  const duplex = new Duplex({
    allowHalfOpen: false,
    read: () => void child.stdout.resume(),
    write: (chunk: Buffer, _encoding, done) => {
      // What became of a program that takes nothing more is told by its end.
      child.stdin.write(chunk, () => done());
    },
    final: (done) => {
      child.stdin.end();
      done();
    },
    destroy: (problem, done) => {
      child.kill();
      child.stdin.destroy();
      child.stdout.destroy();
      done(problem);
    },
  });
  child.stdin.on('error', () => undefined);
  duplex.on('error', () => undefined);
  let heard = false;
  child.stdout.on('data', (chunk: Buffer) => {
    heard = true;
    if (!duplex.push(chunk)) child.stdout.pause();
  });
  child.on('error', (problem) => duplex.destroy(explain(problem.message, said)));
  // Something that has once carried bytes ends as a connection does; something that never did has failed.
  child.on('close', (exit) => {
    if (exit === 0 || heard) duplex.push(null);
    else duplex.destroy(explain(exit === null ? 'it was killed' : `exit ${exit}`, said));
  });
  return duplex;
}
