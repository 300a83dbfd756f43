// "Did you mean": the nearest of the known names, or none.
import fc from 'fast-check';
import test from 'ava';
import {editDistance, nearestName} from '../../../src/base/nearest.ts';

const known = ['hosts', 'become', 'become_user', 'when', 'ansible_os_family', 'mode'];
const rows: readonly (readonly [string, string | undefined])[] = [
  ['host', 'hosts'],
  ['becmoe', 'become'],
  ['becomeuser', 'become_user'],
  ['wehn', 'when'],
  ['ansible_os_familiy', 'ansible_os_family'],
  ['Mode', 'mode'],
  ['xyz', undefined],
  ['completely_else', undefined],
  ['', undefined],
];

for (const [name, wanted] of rows)
  test(`"${name}" is nearest to ${wanted ?? 'nothing'}`, (t) => t.is(nearestName(name, known), wanted));

test('law: distance is symmetric, zero only for equal words, and at most the longer length', (t) => {
  fc.assert(
    fc.property(fc.string({maxLength: 12}), fc.string({maxLength: 12}), (a, b) => {
      const distance = editDistance(a, b);
      return (
        distance === editDistance(b, a) && (distance === 0) === (a === b) && distance <= Math.max(a.length, b.length)
      );
    }),
  );
  t.pass();
});
