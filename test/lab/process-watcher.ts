// Watches the process list of this machine, lab hosts included, for texts that must never be in it. A process of its own, so that it looks as
// often as it can. stdin: a JSON list of texts. stdout, when stdin's second line or its end comes: {"looks": n, "found": [{"text", "command"}]}.
import {readFileSync, readdirSync} from 'node:fs';
import {createInterface} from 'node:readline';
import {setImmediate} from 'node:timers/promises';

const lines = createInterface({input: process.stdin})[Symbol.asyncIterator]();
const texts = JSON.parse((await lines.next()).value as string) as string[];
const found = new Map<string, {text: string; command: string}>();
let over = false;
void lines.next().then(() => (over = true));
console.log('watching');

/** The command line and environment of a process; empty where it has ended meanwhile. */
function wordsOf(pid: string): string {
  try {
    return `${readFileSync(`/proc/${pid}/cmdline`, 'utf8')}\u0000${readFileSync(`/proc/${pid}/environ`, 'utf8')}`;
  } catch {
    return '';
  }
}

let looks = 0;
// eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- set when stdin says so
while (!over) {
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    const words = wordsOf(pid);
    for (const text of texts)
      if (words.includes(text)) {
        const command = words.split('\u0000').slice(0, 3).join(' ').replaceAll(text, '********');
        found.set(`${text} ${command}`, {text, command});
      }
  }
  looks++;
  await setImmediate();
}
console.log(JSON.stringify({looks, found: [...found.values()]}));
