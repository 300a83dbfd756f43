// Whoever comes last, hosts go on in the order of the play: the first one does what is done once.
import test from 'ava';
import fc from 'fast-check';
import {Meeting} from '../../../src/engine/meeting.ts';

const names = ['a', 'b', 'c', 'd'] as const;

test('hosts go on in the order of the play, in whatever order they come', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray([...names], {minLength: names.length}),
      fc.integer({min: 1, max: 5}),
      async (arrivals, forks) => {
        const meeting = new Meeting(names, forks);
        const went: string[] = [];
        const gates = new Map(names.map((name) => [name, Promise.withResolvers<undefined>()]));
        const all = names.map(async (name) => {
          await meeting.begin();
          await gates.get(name)!.promise;
          await meeting.meet(name, [0]);
          went.push(name);
          meeting.end(name);
        });
        for (const name of arrivals) {
          gates.get(name)!.resolve(undefined);
          for (let ticks = 0; ticks < 10; ticks++) await Promise.resolve();
        }
        await Promise.all(all);
        return went.join() === names.join();
      },
    ),
  );
  t.pass();
});
