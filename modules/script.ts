import {
  Secret,
  commandResult,
  defineModule,
  masked,
  p,
  planCommand,
  probeConditions,
  quote,
  refuse,
  reveal,
  textOf,
  type Values,
} from '#kit';
import {splitWords} from '#formats/shell-words';

const params = {
  cmd: p.controllerFile('the script on the controller, and its arguments', {required: true, arguments: true}),
  executable: p.string('program that runs it; default: what its first line names'),
  creates: p.string('do not run where this path (or glob) exists'),
  removes: p.string('run only where this path (or glob) exists'),
  unless: p.string('do not run where this shell command succeeds'),
  onlyif: p.string('run only where this shell command succeeds'),
  chdir: p.path('folder to run in'),
  decrypt: p.boolean('a vault is run opened', {default: true}),
};
type V = Values<typeof params>;

function shown(v: V): string {
  return [v.cmd.path, masked(v.cmd.arguments ?? '')].filter((part) => part !== '').join(' ');
}

/** Runs a script of the controller on the host, in a private file that is gone afterwards. *source*: Ansible's script. */
export default defineModule({
  name: 'script',
  summary: "Run one of the controller's scripts on the host",
  params,
  freeForm: 'cmd',
  everyRun: (v) => v.creates === undefined && v.unless === undefined,
  examples: ['- script: survey.sh --short\n  changed_when: false\n'],
  check: (v) => [
    ...(v.cmd.type === 'missing'
      ? [
          {
            code: 'missing-file',
            message: `no file ${v.cmd.path} on the controller`,
            param: '/cmd',
            help: v.cmd.help ?? `looked in ${v.cmd.searched.join(', ')}`,
          },
        ]
      : []),
    ...(v.cmd.type === 'directory'
      ? [{code: 'bad-param', message: `${v.cmd.path} is a folder, not a script`, param: '/cmd'}]
      : []),
    ...(v.cmd.type === 'file' && (v.cmd.bytes === undefined || textOf(v.cmd.bytes) === undefined)
      ? [
          {
            code: 'bad-param',
            message: `${v.cmd.path} is no text of at most 1 MiB`,
            param: '/cmd',
            help: 'put a program on the host with `copy`, and run it with `command`',
          },
        ]
      : []),
    ...(splitWords(reveal(v.cmd.arguments ?? '')) === undefined
      ? [{code: 'bad-param', message: 'a quote in the arguments is not closed', param: '/cmd'}]
      : []),
  ],
  probe: (v) => probeConditions(v),
  plan: (v, now) => {
    const text = v.cmd.type === 'file' && v.cmd.bytes !== undefined ? textOf(v.cmd.bytes) : undefined;
    if (text === undefined) return refuse('missing-file', `${v.cmd.path} is no script on the controller`);
    const words = splitWords(reveal(v.cmd.arguments ?? '')) ?? [];
    const executable = splitWords(v.executable ?? '') ?? [];
    const scripted = (content: string): string =>
      content.startsWith('#!') || executable.length > 0 ? content : `#!/bin/sh\n${content}`;
    // The script comes over stdin; a file, so that the kernel reads its first line and it may read itself.
    const run = `t=$(mktemp "\${TMPDIR:-/tmp}/.tsplay-XXXXXX") || exit 74
trap 'rm -f -- "$t"' EXIT
trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 143' TERM
cat >"$t" && chmod 700 "$t" || exit 74
${[...executable.map(quote), '"$t"', ...words.map(quote)].join(' ')} </dev/null`;
    return planCommand(
      v,
      now,
      {
        argv: ['/bin/sh'],
        script: v.cmd.arguments instanceof Secret ? Secret.of(run) : run,
        stdin: v.cmd.type === 'file' && v.cmd.secret !== undefined ? v.cmd.secret.map(scripted) : scripted(text),
        ...(v.chdir === undefined ? {} : {chdir: v.chdir}),
      },
      shown(v),
    );
  },
  result: (v, _before, after, outputs) =>
    commandResult(
      shown(v),
      after,
      outputs,
      v.creates !== undefined
        ? `skipped, since ${v.creates} exists`
        : v.removes === undefined
          ? undefined
          : `skipped, since ${v.removes} does not exist`,
    ),
});
