// A reboot, seen through to the end: the host is another one afterwards as far as anybody knows, so everything is read anew.
import type {Action} from '../engine/action.ts';
import type {HostState} from '../engine/host.ts';
import {stdoutText} from '../kit/reads.ts';
import {p} from '../kit/schema.ts';
import {rawShell, sh} from '../kit/shell.ts';
import {BecomeFailed, LinkLost, Unreachable} from '../remote/errors.ts';
import type {Become, Fragment} from '../remote/session.ts';

/**
 * What is another one after a boot: the kernel's boot id, and the start of process 1 (a container shares the kernel, and with it the id).
 * *source*: random(4), proc_pid_stat(5), field 22.
 */
const bootMark = rawShell(
  'cat /proc/sys/kernel/random/boot_id 2>/dev/null; read -r s </proc/1/stat && set -- ${s##*) } && shift 19 && echo "$1"',
);

/** Reboots a host and waits until it lets us in again. *source*: Ansible's reboot. */
export const reboot: Action = {
  name: 'reboot',
  summary: 'Reboot the host, and wait until it is back',
  params: {
    reboot_timeout: p.integer('seconds to wait for its return', {default: 600, min: 1}),
    pre_reboot_delay: p.integer('seconds before it goes down', {default: 0, min: 0}),
    post_reboot_delay: p.integer('seconds after it is back', {default: 0, min: 0}),
    connect_timeout: p.integer('accepted for compatibility: `--timeout` says it'),
    test_command: p.string('shell text that has to succeed once it is back', {default: 'true'}),
    reboot_command: p.string('what to run instead of the usual', {}),
    msg: p.string('what logged-in people are told', {default: 'Reboot initiated by tsplay'}),
    search_paths: p.list(p.string('a folder'), "accepted for compatibility: the host's PATH is fixed"),
    boot_time_command: p.string(
      'accepted for compatibility: the boot id and the start of process 1 tell one boot from another',
    ),
  },
  examples: ['- reboot:\n    reboot_timeout: 300\n  when: false\n'],
  async run(values, {run, host, runner, task, scope, settle, check}) {
    if (check) return {status: 'unknown', message: 'would reboot the host', pending: [`reboot of ${host.name}`]};
    await settle();
    await runner.connect();
    const become = run.becomeOf(task, runner.context.play, scope);
    if (become !== undefined && 'problem' in become) return {status: 'failed', message: become.problem};
    const as = become === undefined || become.user === host.login.user ? undefined : become;
    const before = await ask(host, as, bootMark.shell, run.signal);
    if (before === undefined) return {status: 'failed', message: 'it cannot be told when this host was started'};
    const command = values['reboot_command'];
    const text =
      command === undefined
        ? sh`shutdown -r now ${String(values['msg'])} 2>/dev/null || systemctl reboot || reboot`.shell
        : String(command);
    // in a session of its own and a moment later, so that the reply still arrives
    const delayS = Math.max(1, Number(values['pre_reboot_delay']));
    const later = sh`( sleep ${delayS}; exec /bin/sh -c ${text} ) </dev/null >/dev/null 2>&1 &`;
    const began = run.now().getTime();
    await ask(
      host,
      as,
      sh`if command -v setsid >/dev/null; then setsid /bin/sh -c ${later.shell}; else ${later} fi; :`.shell,
      run.signal,
    );
    await host.disconnect();
    host.world.forgetAll();
    const limitMs = Number(values['reboot_timeout']) * 1000;
    let last = 'it has not gone down';
    while (run.now().getTime() - began < limitMs) {
      await run.pause(1000);
      const outcome = await mark(host, as, run.signal);
      if (outcome.answer !== undefined && outcome.answer !== before) {
        host.surveyed = false; // facts, lock and reads belong to the boot before
        host.lockPath = undefined;
        await run.pause(Number(values['post_reboot_delay']) * 1000);
        await runner.connect();
        const test = await ask(
          host,
          as,
          sh`/bin/sh -c ${String(values['test_command'])} >/dev/null 2>&1 && echo good`.shell,
          run.signal,
        );
        if (test?.trim() !== 'good')
          return {status: 'failed', message: `the host is back, but \`${String(values['test_command'])}\` fails`};
        return {
          status: 'changed',
          changes: [{what: 'host', before: undefined, after: 'rebooted'}],
          result: {rebooted: true, elapsed: Math.round((run.now().getTime() - began) / 1000)},
        };
      }
      last = outcome.answer === undefined ? outcome.why : 'it has not gone down';
    }
    return {status: 'failed', message: `not back within ${String(values['reboot_timeout'])} s: ${last}`};
  },
};

/** A fresh login's look at the mark; where there is none, why. */
async function mark(
  host: HostState,
  as: Become | undefined,
  signal: AbortSignal,
): Promise<{answer: string | undefined; why: string}> {
  try {
    const connection = await host.freshLogin(signal);
    try {
      const session = await connection.session(as);
      const [outcome] = await session.exchange([fragment(bootMark.shell)], {signal, onSilence: () => undefined});
      return {answer: outcome?.ran === true ? stdoutText(outcome.reply) : undefined, why: ''};
    } finally {
      await connection[Symbol.asyncDispose]();
    }
  } catch (error) {
    if (error instanceof Unreachable || error instanceof LinkLost || error instanceof BecomeFailed)
      return {answer: undefined, why: error.message};
    throw error;
  }
}

async function ask(
  host: HostState,
  as: Become | undefined,
  shell: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const [outcome] = await host.exchange(as, [fragment(shell)], signal);
  return outcome?.ran === true && outcome.reply.exit === 0 ? stdoutText(outcome.reply) : undefined;
}

function fragment(shell: string): Fragment {
  return {shell, group: 0, onFailure: 'go-on', label: 'reboot', secret: false, timeoutMs: 30_000};
}
