import {exitStatus} from './exit-status.ts';

/** The user wants to stop. */
export class Interrupted extends Error {
  override readonly name = 'AbortError';
}

/** Whether an error is the end that an interrupt makes. */
export function isInterrupt(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

/** A signal that the first Ctrl-C (or SIGTERM) raises; the second one ends the process at once. */
export function interruptSignal(): AbortSignal {
  const abort = new AbortController();
  let interrupts = 0;
  process.on('SIGINT', () => {
    interrupts++;
    if (interrupts > 1) process.exit(exitStatus.interrupted);
    process.stderr.write('\ninterrupted: what runs on hosts is given up; a second Ctrl-C ends at once\n');
    abort.abort(new Interrupted());
  });
  process.on('SIGTERM', () => abort.abort(new Interrupted()));
  return abort.signal;
}
