import {closeSync, openSync} from 'node:fs';
import {visible} from '../base/visible.ts';
import {askText, NoTerminal} from './prompt.ts';

/**
 * `--step`: asks before each task on each host, one question at a time however many hosts are at work. `c` asks no more. *errors*: NoTerminal at once where
 * there is nobody to ask.
 */
export function confirmSteps(
  ask: (question: string) => Promise<string> = onTerminal(),
): (task: string, host: string) => Promise<boolean> {
  let asksNoMore = false;
  let last: Promise<unknown> = Promise.resolve();
  const one = async (task: string, host: string): Promise<boolean> => {
    while (!asksNoMore) {
      const answer = (await ask(`${visible(task)} on ${host}? (y)es/(n)o/(c)ontinue: `)).trim().toLowerCase();
      if (/^(?:y|yes)$/.test(answer)) return true;
      // as with Ansible, nothing said means no
      if (/^(?:n|no|)$/.test(answer)) return false;
      if (/^(?:c|continue)$/.test(answer)) asksNoMore = true;
    }
    return true;
  };
  return (task, host) => {
    const mine = last.then(() => one(task, host));
    last = mine.catch(() => undefined);
    return mine;
  };
}

/** Asks on the terminal; sees first that there is one. */
function onTerminal(): (question: string) => Promise<string> {
  try {
    closeSync(openSync('/dev/tty', 'r'));
  } catch {
    throw new NoTerminal(
      'which tasks?',
      '--step needs somebody who answers; leave it away, or choose with --tags and --start-at-task',
    );
  }
  return askText;
}
