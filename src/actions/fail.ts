import type {Action} from '../engine/action.ts';
import {p} from '../kit/schema.ts';

/** Ends the host's run with a message. */
export const fail: Action = {
  name: 'fail',
  summary: 'Fail with a message',
  params: {msg: p.string('why', {default: 'Failed as requested from task'})},
  examples: ['- fail:\n    msg: only for Debian\n  when: false\n'],
  run: (values) => ({status: 'failed', message: String(values['msg'])}),
};
