import {spawn} from 'node:child_process';
import path from 'node:path';
import {createInterface} from 'node:readline';

export type Watched = {
  readonly looks: number;
  readonly found: readonly {readonly text: string; readonly command: string}[];
};

/**
 * Watches all processes of this machine, those of the lab's namespace hosts included, for texts in their command lines and environments until
 * the returned function is called. *errors*: rejects where the watcher does not start.
 */
export async function watchProcesses(texts: readonly string[]): Promise<() => Promise<Watched>> {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'process-watcher.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({input: child.stdout})[Symbol.asyncIterator]();
  child.stdin.write(`${JSON.stringify(texts)}\n`);
  const first = await lines.next();
  if (first.value !== 'watching') throw new Error('the watcher of processes did not start');
  return async () => {
    child.stdin.end('\n');
    return JSON.parse((await lines.next()).value as string) as Watched;
  };
}
