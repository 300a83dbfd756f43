// Turns a list of fragments into the text that one `/bin/sh` reads. A batch is one compound command: a shell parses it to
// its closing brace before it runs any of it, so a batch that is cut by a lost link runs nothing.
import {reveal, Secret} from '../base/secret.ts';
import {markFormat} from './framing.ts';
import type {Fragment} from './session.ts';

/** Where programs are looked for on a host. */
export const REMOTE_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** *units*: bytes of input in one `printf`: some shells copy the whole argument several times. */
const PRINTF_CHUNK_BYTES = 32 * 1024;

/** One word in single quotes, whatever it holds. *errors*: throws on NUL, which a shell cannot read. */
export function singleQuoted(text: string): string {
  if (text.includes('\0')) throw new TypeError('shell text cannot hold a NUL character');
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * The format for `printf` that prints exactly these bytes: printable ASCII as it is, the rest as `\ooo`,
 * so it survives every shell, locale and terminal (a `-` in front would be taken for an option).
 */
export function printfFormat(bytes: Uint8Array): string {
  let out = '';
  for (const byte of bytes) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x27 && byte !== 0x5c && !(byte === 0x2d && out === '');
    if (byte === 0x25) out += '%%';
    else if (!plain) out += `\\${byte.toString(8).padStart(3, '0')}`;
    else out += String.fromCharCode(byte);
  }
  return out;
}

/** `printf` commands that write these bytes; `:` for none. */
export function printBytes(bytes: Uint8Array): string {
  const commands: string[] = [];
  for (let at = 0; at < bytes.length; at += PRINTF_CHUNK_BYTES) {
    commands.push(`printf '${printfFormat(bytes.subarray(at, at + PRINTF_CHUNK_BYTES))}'`);
  }
  return commands.length === 0 ? ':' : commands.join('\n');
}

/** The bytes of a fragment's stdin; undefined where it gets /dev/null. */
export function stdinBytes(stdin: Fragment['stdin']): Uint8Array | undefined {
  if (stdin === undefined) return undefined;
  return typeof stdin === 'string' || stdin instanceof Secret ? Buffer.from(reveal(stdin)) : stdin;
}

/**
 * What a new shell is told first: a known environment, and to say that it is there (mark `r` with its pid and the client's
 * address, and whether it is bash). `atExit` runs when the shell ends, however it ends. `printf` must be built in: a program's arguments are
 * visible to everybody on the host, and input travels through it; without one the mark is `n`.
 */
export function preludeScript(nonce: string, atExit: string): string {
  const trap = atExit === '' ? '' : `trap ${singleQuoted(atExit)} EXIT\n`;
  return `{ unset LANGUAGE ENV BASH_ENV CDPATH
unalias -a
LC_ALL=C LANG=C TZ=UTC PATH=${REMOTE_PATH}
export LC_ALL LANG TZ PATH
umask 022
cd /
${trap}trap 'exit 129' HUP
trap 'exit 141' PIPE
trap 'exit 143' TERM
PATH=/ printf '${markFormat(nonce, 'r', '%s', '%s', '%s')}' "$$" "\${BASH_VERSION:+bash}" "\${SSH_CONNECTION%% *}" || echo "${nonce}:n"
} 2>/dev/null
`;
}

/**
 * The same batch for bash, which reads a script from a pipe byte by byte: what is large comes by `head` in blocks.
 * Cut short it is still an unfinished command, and runs nothing.
 */
export function inBlocks(text: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`eval "$(head -c ${text.length})"\n`), text]);
}

/**
 * The text of one batch. After the mark `b` each fragment that runs is followed, on stdout and on stderr, by a mark with
 * its index and exit status; `e` is the last. A fragment is `eval`ed in a subshell, so that not even its syntax errors
 * reach the shell that reads the batch. Where a mark cannot be written the link is gone, and the shell ends.
 */
export function batchScript(fragments: readonly Fragment[], nonce: string): string {
  const format = markFormat(nonce, '%s', '%s');
  const out = [
    `{ _tsplay_mark() { printf '${format}' "$1" "$2" && printf '${format}' "$1" "$2" >&2 || exit 141; }`,
    `_tsplay_skip=''`,
    `_tsplay_mark b 0`,
  ];
  const canStop = new Set<string>();
  let atFence = false;
  fragments.forEach((fragment, index) => {
    if (fragment.fence === true && atFence) {
      out.push('case $_tsplay_skip in *" fence "*) _tsplay_skip="$_tsplay_skip all ";; esac');
      canStop.add('all');
    }
    const doubts = [...canStop].filter((doubt) => doubt === 'all' || doubt === `g${fragment.group}`);
    const run = runOne(fragment, index);
    out.push(
      doubts.length === 0
        ? run
        : `case $_tsplay_skip in ${doubts.map((doubt) => `*" ${doubt} "*`).join('|')}) ;; *)\n${run}\n;; esac`,
    );
    if (fragment.onFailure === 'stop') canStop.add('all');
    if (fragment.onFailure === 'skip-group') canStop.add(`g${fragment.group}`);
    if (fragment.onFailure === 'stop-at-fence') {
      canStop.add(`g${fragment.group}`);
      atFence = true;
    }
  });
  out.push('_tsplay_mark e 0', '}', '');
  return out.join('\n');
}

function runOne(fragment: Fragment, index: number): string {
  const body = `( eval ${singleQuoted(fragment.shell)} )`;
  const input = stdinBytes(fragment.stdin);
  const run = input === undefined ? `${body} </dev/null` : `{ ${printBytes(input)}\n} 2>/dev/null | ${body}`;
  if (fragment.onFailure === 'go-on') return `${run}\n_tsplay_mark ${index} $?`;
  const flags = {stop: 'all', 'skip-group': `g${fragment.group}`, 'stop-at-fence': `g${fragment.group}  fence`};
  const flag = flags[fragment.onFailure];
  return `${run}\n_tsplay_exit=$?\n_tsplay_mark ${index} $_tsplay_exit\n[ $_tsplay_exit = 0 ] || _tsplay_skip="$_tsplay_skip ${flag} "`;
}
