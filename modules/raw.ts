import {commandResult, defineModule, masked, p, planCommand, nothing} from '#kit';

/** Runs text in the shell of the host. Nothing but `sh` is needed anywhere, so this is `shell` by its bare name. *source*: Ansible's raw. */
export default defineModule({
  name: 'raw',
  summary: 'Run text in a shell, without any conditions',
  params: {
    cmd: p.text('the shell text', {required: true, aliases: ['free_form']}),
    executable: p.path('the shell', {default: '/bin/sh'}),
  },
  freeForm: 'cmd',
  everyRun: true,
  examples: ['- raw: cat /etc/os-release\n  changed_when: false\n'],
  probe: () => nothing({creates: false, removes: false, unless: false, onlyif: false}),
  plan: (v, now) => planCommand({}, now, {argv: [v.executable], script: v.cmd}, masked(v.cmd)),
  result: (v, _before, after, outputs) => commandResult(v.cmd, after, outputs, undefined),
});
