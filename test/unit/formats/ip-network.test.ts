import test from 'ava';
import fc from 'fast-check';
import {mergeRanges, networkHolds, parseNetwork} from '../../../src/formats/ip-network.ts';

const same: [string, string][] = [
  ['10.1.2.3/8', '10.0.0.0/8'],
  ['10.0.0.1', '10.0.0.1/32'],
  ['FD00:0:0::1', 'fd00::1/128'],
  ['::ffff:0.0.0.0/96', '::ffff:0:0/96'],
  ['::/0', 'fd00::/0'],
];
for (const [a, b] of same) test(`${a} is ${b}`, (t) => t.deepEqual(parseNetwork(a), parseNetwork(b)));

for (const wrong of [
  '',
  'lan',
  '10.0.0',
  '10.0.0.256',
  '10.0.0.0/33',
  '10.0.0.0/',
  '10.0.0.0/8/8',
  ':::',
  'fd00::/129',
  'a',
  '1.2.3.4:5',
])
  test(`no network: "${wrong}"`, (t) => t.is(parseNetwork(wrong), undefined));

test('IPv4 is not in an IPv6 network', (t) => {
  t.false(networkHolds('::/0', '10.0.0.1'));
  t.true(networkHolds('0.0.0.0/0', '10.0.0.1'));
  t.false(networkHolds('10.0.0.1', '10.0.0.0/8'));
});

test('a network holds every address of it', (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({min: 0, max: 32}), (address, bits) =>
      networkHolds(`${address}/${bits}`, address),
    ),
  );
  t.pass();
});

test('merged ranges hold the same numbers, apart from each other', (t) => {
  const range = fc.tuple(fc.nat(40), fc.nat(5)).map(([first, more]) => [first, first + more] as const);
  fc.assert(
    fc.property(fc.array(range), (ranges) => {
      const merged = mergeRanges(ranges);
      const within = (list: readonly (readonly [number, number])[], n: number): boolean =>
        list.some(([first, last]) => first <= n && n <= last);
      return (
        Array.from({length: 50}, (_, n) => n).every((n) => within(ranges, n) === within(merged, n)) &&
        merged.every(([first], i) => i === 0 || first > (merged[i - 1]?.[1] ?? 0) + 1)
      );
    }),
  );
  t.pass();
});
