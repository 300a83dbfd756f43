import {styleText} from 'node:util';
import {visible} from '../base/visible.ts';
import {quote} from '../kit/shell.ts';
import type {Fragment} from '../remote/session.ts';
import {recordExec, type ExecRecord} from './record-exec.ts';
import {exitOf, onHosts, type Answer, type Options} from './on-hosts.ts';

/** What a command answered on one host. */
type Ran = {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
  readonly durationMs: number;
};

/**
 * `tsplay exec PATTERN -- COMMAND…`: one command on many hosts at the same time. One word is shell text as it stands; several words are one command with
 * exactly these arguments. Hosts that answered the same are told once. Exit status: 2 where the command failed anywhere, 4 for unreachable hosts.
 */
export async function execCommand(pattern: string, words: readonly string[], options: Options): Promise<void> {
  const shell = shellOf(words, options['chdir'] === undefined ? undefined : String(options['chdir']));
  const timeoutMs = Number(options['commandTimeout'] ?? 600) * 1000;
  let record: ExecRecord | undefined;
  const done = await onHosts<Ran>(
    pattern,
    options,
    async (connection, become, signal, host) => {
      const session = await connection.session(become);
      const fragment: Fragment = {
        shell,
        group: 0,
        onFailure: 'go-on',
        label: words.join(' ').slice(0, 200),
        secret: false,
        timeoutMs,
      };
      const [outcome] = await session.exchange([fragment], {
        signal,
        onSilence: (_label, silentMs) =>
          process.stderr.write(`${host}: no answer for ${Math.round(silentMs / 1000)} s\n`),
      });
      if (outcome?.ran !== true) throw new Error('the only fragment of a batch was not run');
      return {
        exit: outcome.reply.exit,
        stdout: new TextDecoder().decode(outcome.reply.stdout),
        stderr: new TextDecoder().decode(outcome.reply.stderr),
        timedOut: outcome.timedOut,
        durationMs: Math.round(outcome.durationMs),
      };
    },
    {begun: (set) => (record = recordExec(words, options, set))},
  );
  if (done === undefined) {
    record?.end([], Number(process.exitCode ?? 0));
    return;
  }
  const {redactor} = done.set;
  const answers = done.answers.map((answer): Answer<Ran> =>
    answer.is === 'answered'
      ? {
          ...answer,
          value: {
            ...answer.value,
            stdout: redactor.redact(answer.value.stdout),
            stderr: redactor.redact(answer.value.stderr),
          },
        }
      : answer,
  );
  const failed = new Set(answers.flatMap((a) => (a.is === 'answered' && a.value.exit !== 0 ? [a.host] : [])));
  const exit = exitOf(answers, (host) => failed.has(host));
  const color = options['color'] !== false && process.env['NO_COLOR'] === undefined && process.stdout.isTTY;
  process.stdout.write(
    options['output'] === 'json'
      ? `${JSON.stringify(document(words, answers, exit), undefined, 2)}\n`
      : groupsOf(answers)
          .map((group) => shown(group, color))
          .join(''),
  );
  process.exitCode = exit;
  record?.end(
    answers.map((answer) => ({
      host: answer.host,
      is: answer.is === 'answered' ? (answer.value.exit === 0 ? 'changed' : 'failed') : answer.is,
      message:
        answer.is === 'answered'
          ? `exit status ${answer.value.exit}${answer.value.timedOut ? ', timed out' : ''}`
          : answer.message,
      durationMs: answer.is === 'answered' ? answer.value.durationMs : 0,
    })),
    exit,
  );
}

/** The words of a command line as shell text: one word is text already, several are quoted. */
export function shellOf(words: readonly string[], chdir: string | undefined): string {
  const text = words.length === 1 ? words[0]! : words.map(quote).join(' ');
  return chdir === undefined ? text : `cd ${quote(chdir)} || exit\n${text}`;
}

type Group = {readonly hosts: readonly string[]; readonly answer: Answer<Ran>};

/** Hosts with the same answer together, in the order of the first of each. */
export function groupsOf(answers: readonly Answer<Ran>[]): readonly Group[] {
  const groups = Map.groupBy(answers, (answer) =>
    answer.is === 'answered'
      ? JSON.stringify([answer.value.exit, answer.value.stdout, answer.value.stderr])
      : `${answer.is} ${answer.message.replace(`${answer.host}: `, '')}`,
  );
  return [...groups.values()].map((of) => ({hosts: of.map(({host}) => host), answer: of[0]!}));
}

function shown({hosts, answer}: Group, color: boolean): string {
  const paint = (style: 'green' | 'red' | 'dim', text: string): string =>
    color ? styleText(style, text, {validateStream: false}) : text;
  const names = hosts.join(', ');
  if (answer.is !== 'answered')
    return `${paint('red', '✗')} ${names} ${answer.is}: ${visible(answer.message)}\n${answer.help === undefined ? '' : `    help: ${visible(answer.help)}\n`}`;
  const {exit, stdout, stderr, timedOut} = answer.value;
  const how = timedOut ? ' timed out' : exit === 0 ? '' : ` exit status ${exit}`;
  const head = exit === 0 ? `${paint('green', '✓')} ${names}` : `${paint('red', '✗')} ${names}${paint('red', how)}`;
  return `${head}\n${block(stdout)}${stderr === '' ? '' : paint('dim', block(stderr, '! '))}`;
}

function block(text: string, mark = ''): string {
  return text === '' ? '' : `${visible(text.replace(/\n$/, '')).replace(/^/gm, `    ${mark}`)}\n`;
}

function document(words: readonly string[], answers: readonly Answer<Ran>[], exit: number): unknown {
  return {
    schema: 1,
    command: words,
    exit,
    hosts: Object.fromEntries(
      answers.map((answer) => [
        answer.host,
        answer.is === 'answered'
          ? {
              status: answer.value.exit === 0 ? 'ok' : 'failed',
              exit: answer.value.exit,
              stdout: answer.value.stdout,
              stderr: answer.value.stderr,
              ...(answer.value.timedOut ? {timedOut: true} : {}),
              durationMs: answer.value.durationMs,
            }
          : {
              status: answer.is,
              message: answer.message,
              ...(answer.help === undefined ? {} : {help: answer.help}),
            },
      ]),
    ),
  };
}
