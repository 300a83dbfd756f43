import type {Action} from '../engine/action.ts';
import {EndPlay} from '../engine/runner.ts';
import {readAllFacts} from '../engine/survey.ts';
import {p} from '../kit/schema.ts';

/** Steers the run itself. */
export const meta: Action = {
  name: 'meta',
  summary: 'Steer the run: flush_handlers, end_host, end_play, clear_facts, refresh_inventory, reset_connection, noop',
  params: {
    do: p.choice(
      [
        'flush_handlers',
        'end_host',
        'end_play',
        'end_batch',
        'clear_facts',
        'clear_host_errors',
        'refresh_inventory',
        'reset_connection',
        'noop',
      ],
      'what',
      {required: true},
    ),
  },
  freeForm: 'do',
  examples: ['- meta: flush_handlers\n', '- meta: noop\n'],
  async run(values, {runner, host, settle, run, playHosts}) {
    switch (values['do']) {
      case 'flush_handlers':
        await runner.flushHandlers();
        return {status: 'ok'};
      case 'end_host':
        await settle();
        throw new EndPlay('end_host');
      case 'end_play':
      case 'end_batch':
        await settle();
        runner.context.ended ??= values['do'] === 'end_play' ? 'play' : 'batch';
        throw new EndPlay('end_play');
      case 'clear_host_errors':
        for (const name of playHosts) {
          const state = run.stateOf(name);
          if (state.stopped === 'failed' || state.stopped === 'unreachable') state.isComingBack = true;
        }
        return {status: 'ok'};
      case 'clear_facts':
        await settle();
        if (host.factsKnown) await readAllFacts(run, host);
        return {status: 'ok'};
      case 'reset_connection':
        await settle();
        await host.disconnect();
        // lock and reads went with it: the new login begins as the first one did
        host.surveyed = false;
        host.lockPath = undefined;
        await runner.connect();
        return {status: 'ok'};
      default:
        return {status: 'ok'};
    }
  },
};
