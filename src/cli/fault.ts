import {version} from './version.ts';

/** Reports a fault of tsplay itself: what happened, and what to send along. Sets exit status 70. */
export function reportFault(error: unknown): void {
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`tsplay ${version()} has a fault (this is not your mistake):\n${detail}\n`);
  process.exitCode = 70;
}
