import {spawn} from 'node:child_process';
import path from 'node:path';

const checkout = path.dirname(path.dirname(import.meta.dirname));

/**
 * Collects the command lines of all processes of a lab host with a kernel of its own, which this machine cannot see, until the returned
 * function is called; that gives them, each once.
 */
export async function watchGuest(host: string): Promise<() => Promise<readonly string[]>> {
  const loop = `echo watching; while :; do for f in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <"$f"; echo; done 2>/dev/null; done`;
  const child = spawn('bash', ['lab/lab.sh', 'exec', host, 'sh', '-c', loop], {
    cwd: checkout,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const seen = new Set<string>();
  let rest = '';
  await new Promise<void>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => {
      resolve();
    });
    child.stdout.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) seen.add(line.trim());
      resolve();
    });
  });
  return async () => {
    const closed = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL'); // without a reader the loop on the host ends at its next line
    child.stdout.destroy();
    await closed;
    return [...seen];
  };
}
