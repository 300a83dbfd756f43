import type {Action} from '../engine/action.ts';
import {p} from '../kit/schema.ts';

/** Waits a while. In check mode it does not wait. */
export const pause: Action = {
  name: 'pause',
  summary: 'Wait for a time',
  params: {
    seconds: p.number('how long', {min: 0}),
    minutes: p.number('how long', {min: 0}),
    prompt: p.string('shown while waiting; without a time it is only shown'),
    echo: p.boolean('accepted for compatibility: what is typed is not shown'),
  },
  examples: ['- pause:\n    seconds: 0\n'],
  async run(values, {run, settle, check}) {
    await settle();
    const seconds = Number(values['seconds'] ?? 0) + 60 * Number(values['minutes'] ?? 0);
    if (!check && seconds > 0) await run.pause(seconds * 1000);
    return {
      status: 'ok',
      message: values['prompt'] === undefined ? undefined : String(values['prompt']),
      result: {delta: seconds},
    };
  },
};
