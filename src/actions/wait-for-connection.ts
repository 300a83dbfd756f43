import type {Action} from '../engine/action.ts';
import {p} from '../kit/schema.ts';
import {Unreachable} from '../remote/errors.ts';

/** Logs in afresh until it works. */
export const waitForConnection: Action = {
  name: 'wait_for_connection',
  summary: 'Wait until the host lets us log in',
  params: {
    timeout: p.integer('seconds to try', {default: 600, min: 1}),
    sleep: p.number('seconds between tries', {default: 1, min: 0}),
    delay: p.number('seconds before the first try', {default: 0, min: 0}),
    connect_timeout: p.integer('accepted for compatibility: `--timeout` says it'),
  },
  examples: ['- wait_for_connection:\n    timeout: 30\n'],
  async run(values, {run, host, runner, settle, check}) {
    if (check) return {status: 'ok'};
    await settle();
    await runner.connect();
    const timeoutMs = Number(values['timeout']) * 1000;
    const began = run.now().getTime();
    if (Number(values['delay']) > 0) await run.pause(Number(values['delay']) * 1000);
    for (;;) {
      try {
        await (await host.freshLogin(run.signal))[Symbol.asyncDispose]();
        return {status: 'ok', result: {elapsed: Math.round((run.now().getTime() - began) / 1000)}};
      } catch (error) {
        if (!(error instanceof Unreachable)) throw error;
        if (run.now().getTime() - began > timeoutMs)
          return {status: 'failed', message: `no login within ${String(values['timeout'])} s: ${error.message}`};
        await run.pause(Math.max(50, Number(values['sleep']) * 1000));
      }
    }
  },
};
