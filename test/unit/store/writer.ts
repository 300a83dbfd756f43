// A controller for killed.test.ts: records one thing after the other, and says each once it is written, until it is killed.
import {writeSync} from 'node:fs';
import {History} from '../../../src/store/history.ts';
import {shaping, startOf} from './sample.ts';

const [state = '', name = ''] = process.argv.slice(2);
const recorder = new History(state).begin(startOf(name), shaping, (message) => {
  throw new Error(message);
});
for (let i = 0; ; i++) {
  recorder.write({record: 'message', host: null, text: `${i} ${'x'.repeat(i % 3000)}`});
  writeSync(1, `${i}\n`);
  await new Promise(setImmediate);
}
