import {Secret, commandResult, defineModule, masked, p, planCommand, probeConditions, reveal} from '#kit';

/** Runs text in a shell. *source*: Ansible's shell. */
export default defineModule({
  name: 'shell',
  summary: 'Run text in a shell',
  params: {
    cmd: p.text('the shell text', {required: true}),
    executable: p.path('the shell', {default: '/bin/sh'}),
    creates: p.string('do not run where this path (or glob) exists'),
    removes: p.string('run only where this path (or glob) exists'),
    unless: p.string('do not run where this shell command succeeds'),
    onlyif: p.string('run only where this shell command succeeds'),
    chdir: p.path('folder to run in'),
    stdin: p.text('text for its standard input'),
    stdin_add_newline: p.boolean('end that text with a newline', {default: true}),
    warn: p.boolean('accepted for compatibility: nothing is warned of'),
  },
  freeForm: 'cmd',
  everyRun: (v) => v.creates === undefined && v.unless === undefined,
  examples: ['- shell: "set -e; uname -r | tr a-z A-Z"\n  changed_when: false\n'],
  probe: (v) => probeConditions(v),
  plan: (v, now) => {
    const stdin =
      v.stdin === undefined
        ? {}
        : {stdin: v.stdin_add_newline && !reveal(v.stdin).endsWith('\n') ? Secret.join([v.stdin, '\n']) : v.stdin};
    return planCommand(
      v,
      now,
      {argv: [v.executable], script: v.cmd, ...stdin, ...(v.chdir === undefined ? {} : {chdir: v.chdir})},
      masked(v.cmd),
    );
  },
  result: (v, _before, after, outputs) =>
    commandResult(
      v.cmd,
      after,
      outputs,
      v.creates !== undefined
        ? `skipped, since ${v.creates} exists`
        : v.removes === undefined
          ? undefined
          : `skipped, since ${v.removes} does not exist`,
    ),
});
