import {
  Secret,
  commandResult,
  defineModule,
  isNonEmpty,
  masked,
  p,
  planCommand,
  probeConditions,
  refuse,
  reveal,
} from '#kit';
import {splitWords} from '#formats/shell-words';

/** Runs a program without a shell. *source*: Ansible's command. */
export default defineModule({
  name: 'command',
  summary: 'Run a program (no shell)',
  params: {
    cmd: p.text('the command line; quotes group words, nothing else is special'),
    argv: p.list(p.string('a word'), 'the words themselves'),
    creates: p.string('do not run where this path (or glob) exists'),
    removes: p.string('run only where this path (or glob) exists'),
    unless: p.string('do not run where this shell command succeeds'),
    onlyif: p.string('run only where this shell command succeeds'),
    chdir: p.path('folder to run in'),
    stdin: p.text('text for its standard input'),
    stdin_add_newline: p.boolean('end that text with a newline', {default: true}),
    strip_empty_ends: p.boolean('accepted for compatibility: one newline at the end of output is always removed'),
    expand_argument_vars: p.boolean('accepted for compatibility'),
    warn: p.boolean('accepted for compatibility'),
  },
  freeForm: 'cmd',
  everyRun: true,
  examples: [
    '- command: uname -r\n  changed_when: false\n',
    '- command:\n    cmd: touch /tmp/tsplay-example\n    creates: /tmp/tsplay-example\n',
  ],
  check: (v) => [
    ...(v.cmd === undefined && v.argv === undefined
      ? [{code: 'missing-param', message: 'a command is needed', help: 'command: uname -r'}]
      : []),
    ...(v.cmd !== undefined && splitWords(reveal(v.cmd)) === undefined
      ? [{code: 'bad-param', message: 'a quote in the command is not closed', param: '/cmd'}]
      : []),
  ],
  probe: (v) => probeConditions(v),
  plan: (v, now) => {
    const words = v.argv ?? (v.cmd === undefined ? [] : (splitWords(reveal(v.cmd)) ?? []));
    if (!isNonEmpty(words)) return refuse('missing-param', 'the command is empty');
    const stdin = v.stdin === undefined ? {} : {stdin: v.stdin_add_newline ? withNewline(v.stdin) : v.stdin};
    const shown = v.cmd === undefined ? words.join(' ') : masked(v.cmd);
    // A secret in a command line goes to the shell over stdin; the program itself still shows it in `ps`, as it would anywhere.
    const secret = v.cmd instanceof Secret ? {script: v.cmd, argv: ['/bin/sh'] as const} : {argv: words};
    return planCommand(v, now, {...secret, ...stdin, ...(v.chdir === undefined ? {} : {chdir: v.chdir})}, shown);
  },
  result: (v, _before, after, outputs) =>
    commandResult(
      v.cmd ?? (v.argv ?? []).join(' '),
      after,
      outputs,
      v.creates === undefined ? undefined : `skipped, since ${v.creates} exists`,
    ),
});

function withNewline(text: string | Secret): string | Secret {
  return reveal(text).endsWith('\n') ? text : Secret.join([text, '\n']);
}
