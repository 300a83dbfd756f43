// A command of the user's. Its words are visible to everybody on the host and so are never secret; a secret script or variable
// comes over stdin, ahead of the command's own input, and is read there by the shell's own `read` (which takes no byte too many
// from a pipe), so no program's arguments hold it.
import {reveal, Secret} from '../base/secret.ts';
import {isNonEmpty} from '../base/nonempty.ts';
import type {RunOp} from '../kit/op.ts';
import type {Reply} from '../kit/reads.ts';
import {exitStatus} from './exit-status.ts';
import type {Lowered} from './lower.ts';
import {singleQuoted} from './script.ts';

/** Ends the part of stdin that is for our shell. */
const END = '#tsplay: what follows is for the command';
/** Stands before the real exit status at the end of stdout, where a status other than 0 is accepted. */
const TRAILER = '\u001etsplay exit ';

const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Lowers a `run`. *errors*: throws on a variable's name that no shell knows, and on a candidate (only `validate` has one). */
export function lowerRun(op: RunOp): Lowered {
  if (!isNonEmpty(op.argv)) throw new TypeError('a command needs at least one word');
  const words = op.argv.map((word) => {
    if (typeof word !== 'string') throw new TypeError('{candidate: true} has a meaning in "validate" only');
    return forcedQuotes(word);
  });
  const plain: string[] = [];
  const hidden: string[] = [];
  for (const [name, value] of Object.entries(op.environment ?? {})) {
    if (!variableName.test(name)) throw new TypeError(`"${name}" is not a variable's name`);
    (value instanceof Secret ? hidden : plain).push(`export ${name}=${forcedQuotes(reveal(value))}`);
  }
  if (op.script !== undefined) {
    (op.script instanceof Secret ? hidden : plain).push(`_tsplay_script=${forcedQuotes(reveal(op.script))}`);
  }
  const command =
    op.script === undefined ? words.join(' ') : scripted(words.join(' '), op.stdin !== undefined || hidden.length > 0);
  const steps = [
    ...(op.chdir === undefined ? [] : [`cd -- ${singleQuoted(op.chdir)} || exit ${exitStatus.missing}`]),
    ...(hidden.length === 0 ? [] : [receive]),
    ...plain,
    // without input of its own the command must not see ours end, but none at all
    ...(hidden.length > 0 && op.stdin === undefined ? ['exec </dev/null'] : []),
    command,
  ];
  const input =
    hidden.length === 0 ? op.stdin : Secret.join([Secret.of(`${hidden.join('\n')}\n${END}\n`), op.stdin ?? '']);
  return {
    shell: judged(steps.join('\n'), op),
    ...(input === undefined ? {} : {stdin: input}),
    ...(hidden.length > 0 || op.stdin instanceof Secret ? {secret: true} : {}),
  };
}

/** Quoted whatever it holds, so that `A=b` is a program's name and not an assignment, and `if` no keyword. */
function forcedQuotes(word: string): string {
  return singleQuoted(word);
}

/** Reads assignments up to the line that ends them, and makes them. */
const receive = `_tsplay_text=
while IFS= read -r _tsplay_line && [ "$_tsplay_line" != '${END}' ]; do
_tsplay_text="$_tsplay_text$_tsplay_line
"
done
eval "$_tsplay_text"
unset _tsplay_text _tsplay_line`;

/**
 * The interpreter reads the script from descriptor 3, written by the shell's own `printf`; its stdin is the command's. The script may end
 * before it has been read to the end.
 */
function scripted(words: string, hasInput: boolean): string {
  const input = hasInput ? '<&4' : '</dev/null';
  return `{ printf '%s\\n' "$_tsplay_script" 2>/dev/null | { unset _tsplay_script; exec 3<&0 ${input} 4<&-; exec ${words} /proc/self/fd/3; }; } 4<&0`;
}

/** Where a status other than 0 is accepted, the fragment exits 0, so that its batch goes on, and says the real one behind stdout. */
function judged(body: string, op: RunOp): string {
  if (!translates(op)) return body;
  const good = op.accepts as readonly number[];
  const pattern = good.join('|');
  return `(
${body}
)
_tsplay_exit=$?
case $_tsplay_exit in ${pattern === '' ? "''" : pattern}) printf '\\036tsplay exit %s\\n' $_tsplay_exit; exit 0 ;; 0) exit ${exitStatus.invalid} ;; esac
exit $_tsplay_exit`;
}

function translates(op: RunOp): boolean {
  return Array.isArray(op.accepts) && !(op.accepts.length === 1 && op.accepts[0] === 0);
}

/** The reply as the command gave it: with its real exit status, and without what the fragment has added to its output. */
export function replyOfRun(op: RunOp, reply: Reply): Reply {
  if (!translates(op) || reply.exit !== 0) return reply;
  const stdout = Buffer.from(reply.stdout);
  const at = stdout.lastIndexOf(TRAILER);
  if (at < 0) return reply;
  return {
    exit: Number(stdout.toString('latin1', at + TRAILER.length)),
    stdout: new Uint8Array(stdout.subarray(0, at)),
    stderr: reply.stderr,
  };
}
