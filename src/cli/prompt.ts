import {createReadStream} from 'node:fs';
import {ReadStream} from 'node:tty';
import {openSync} from 'node:fs';
import {Secret} from '../base/secret.ts';

/**
 * Asks for a secret on the terminal itself (not on stdin, which may be a pipe), without showing it. *errors*: throws where there is no terminal.
 */
export async function askSecret(question: string): Promise<Secret> {
  return Secret.of(await ask(question, true));
}

/** Asks for a line of text on the terminal. */
export function askText(question: string): Promise<string> {
  return ask(question, false);
}

async function ask(question: string, hidden: boolean): Promise<string> {
  let fd: number;
  try {
    fd = openSync('/dev/tty', 'r');
  } catch {
    throw new NoTerminal(question);
  }
  process.stderr.write(question);
  const terminal = new ReadStream(fd);
  if (hidden) terminal.setRawMode(true);
  try {
    let line = '';
    for await (const chunk of terminal) {
      for (const c of (chunk as Buffer).toString('utf8')) {
        if (c === '\r' || c === '\n') return line;
        if (c === '\u0003') throw new NoTerminal(`${question}(interrupted)`);
        if (hidden && (c === '\u007f' || c === '\b')) line = line.slice(0, -1);
        else line += c;
      }
    }
    return line;
  } finally {
    if (hidden) {
      terminal.setRawMode(false);
      process.stderr.write('\n');
    }
    terminal.destroy();
  }
}

/** There is nobody to ask. */
export class NoTerminal extends Error {
  override readonly name = 'NoTerminal';
  readonly help: string;

  constructor(question: string, help = 'give the value with -e, or a password file') {
    super(`cannot ask "${question.trim()}": there is no terminal`);
    this.help = help;
  }
}

/** All of standard input. */
export async function readStdin(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream('', {fd: 0, autoClose: false})) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
