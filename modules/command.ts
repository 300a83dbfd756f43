import {
  Secret,
  commandResult,
  defineModule,
  isNonEmpty,
  masked,
  p,
  planCommand,
  probeConditions,
  quote,
  refuse,
  reveal,
  type Values,
} from '#kit';
import {splitWords} from '#formats/shell-words';

const params = {
  cmd: p.text('the command line; quotes group words'),
  argv: p.list(p.text('a word'), 'the words themselves'),
  creates: p.string('do not run where this path (or glob) exists'),
  removes: p.string('run only where this path (or glob) exists'),
  unless: p.string('do not run where this shell command succeeds'),
  onlyif: p.string('run only where this shell command succeeds'),
  chdir: p.path('folder to run in'),
  stdin: p.text('text for its standard input'),
  stdin_add_newline: p.boolean('end that text with a newline', {default: true}),
  strip_empty_ends: p.boolean('accepted for compatibility: one newline at the end of output is always removed'),
  expand_argument_vars: p.boolean(
    "replace `$NAME` by the host's variable (where there is one) and a leading `~` by a home",
    {
      default: true,
    },
  ),
  warn: p.boolean('accepted for compatibility: nothing is warned of'),
};
type V = Values<typeof params>;

const variable = /\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})/;

/** The words to run; `secret` where one of them holds a secret. */
function wordsOf(v: V): {readonly words: readonly string[]; readonly secret: boolean; readonly shown: string} {
  if (v.argv !== undefined) {
    return {
      words: v.argv.map(reveal),
      secret: v.argv.some((word) => word instanceof Secret),
      shown: v.argv.map(masked).join(' '),
    };
  }
  const line = v.cmd ?? '';
  return {words: splitWords(reveal(line)) ?? [], secret: line instanceof Secret, shown: masked(line)};
}

/** A word for a shell that shall expand nothing but variables that are set, and a leading `~`. */
function expanding(word: string): string {
  const home = /^~[A-Za-z0-9_.-]*(?=\/|$)/.exec(word)?.[0] ?? '';
  let out = home;
  let rest = word.slice(home.length);
  for (let match = variable.exec(rest); match !== null; match = variable.exec(rest)) {
    if (match.index > 0) out += quote(rest.slice(0, match.index));
    out += `"\${${match[1] ?? match[2] ?? ''}-\\${match[0]}}"`;
    rest = rest.slice(match.index + match[0].length);
  }
  return rest === '' && out !== '' ? out : out + quote(rest);
}

/** Runs a program without a shell. *source*: Ansible's command. */
export default defineModule({
  name: 'command',
  summary: 'Run a program (no shell)',
  params,
  freeForm: 'cmd',
  // what a command makes (or makes true) can be compared; what it needs cannot
  everyRun: (v) => v.creates === undefined && v.unless === undefined,
  examples: [
    '- command: uname -r\n  changed_when: false\n',
    '- command:\n    cmd: touch /tmp/tsplay-example\n    creates: /tmp/tsplay-example\n',
  ],
  check: (v) => [
    ...(v.cmd !== undefined && v.argv !== undefined
      ? [{code: 'bad-combination', message: '`cmd` and `argv` exclude each other', param: '/argv'}]
      : []),
    ...(v.cmd === undefined && v.argv === undefined
      ? [{code: 'missing-param', message: 'a command is needed', help: 'command: uname -r'}]
      : []),
    ...(v.cmd !== undefined && splitWords(reveal(v.cmd)) === undefined
      ? [{code: 'bad-param', message: 'a quote in the command is not closed', param: '/cmd'}]
      : []),
  ],
  probe: (v) => probeConditions(v),
  plan: (v, now) => {
    const {words, secret, shown} = wordsOf(v);
    if (!isNonEmpty(words)) return refuse('missing-param', 'the command is empty');
    if (words.some((word) => word.includes('\0'))) return refuse('bad-param', 'a word cannot hold a NUL character');
    const stdin = v.stdin === undefined ? {} : {stdin: v.stdin_add_newline ? withNewline(v.stdin) : v.stdin};
    const expands = v.expand_argument_vars && words.some((word) => variable.test(word) || word.startsWith('~'));
    const script = `exec ${words.map((word) => (v.expand_argument_vars ? expanding(word) : quote(word))).join(' ')}`;
    // A secret comes to the shell over stdin; the program itself still shows it in `ps`, as it would anywhere.
    const how = secret
      ? {script: Secret.of(script), argv: ['/bin/sh'] as const}
      : expands
        ? {script, argv: ['/bin/sh'] as const}
        : {argv: words};
    return planCommand(v, now, {...how, ...stdin, ...(v.chdir === undefined ? {} : {chdir: v.chdir})}, shown);
  },
  result: (v, _before, after, outputs) =>
    commandResult(
      v.cmd ?? Secret.join((v.argv ?? []).flatMap((word, i) => (i === 0 ? [word] : [' ', word]))),
      after,
      outputs,
      v.creates !== undefined
        ? `skipped, since ${v.creates} exists`
        : v.removes === undefined
          ? undefined
          : `skipped, since ${v.removes} does not exist`,
    ),
});

function withNewline(text: string | Secret): string | Secret {
  return reveal(text).endsWith('\n') ? text : Secret.join([text, '\n']);
}
