import test from 'ava';
import fc from 'fast-check';
import {hostList} from '../../../src/report/host-list.ts';
import {expandHosts} from '../../../src/playbook/host-range.ts';

const cases: readonly (readonly [names: readonly string[], shown: string])[] = [
  [[], ''],
  [['kvm1'], 'kvm1'],
  [['kvm1', 'kvm2'], 'kvm1, kvm2'],
  [['kvm1', 'kvm2', 'kvm3'], 'kvm[1:3]'],
  [['web08', 'web09', 'web10', 'db'], 'web[08:10], db'],
  [['web8', 'web9', 'web10', 'web11'], 'web[8:11]'],
  [['a1.example.org', 'a2.example.org', 'a3.example.org'], 'a[1:3].example.org'],
  [['n1-2.dc3', 'n2-2.dc3', 'n3-2.dc3'], 'n[1:3]-2.dc3'],
  [['10.0.0.9', '10.0.0.10', '10.0.0.11'], '10.0.0.[9:11]'],
  [['b3', 'b2', 'b1'], 'b3, b2, b1'],
  [['x1', 'x2', 'x4', 'x5', 'x6'], 'x1, x2, x[4:6]'],
];
for (const [names, shown] of cases) test(`${names.join(' ')} is ${shown}`, (t) => t.is(hostList(names), shown));

test('too many are counted', (t) => {
  const names = Array.from({length: 30}, (_, i) => `host-${String.fromCharCode(97 + (i % 26))}${i * 7}`);
  t.is(hostList(names, 3), `${names[0]}, ${names[1]} and 28 more`);
});

test('what is written is the names again', (t) => {
  const number = fc.integer({min: 0, max: 12});
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom('a', 'b-', 'c0'), number), {maxLength: 30}), (list) => {
      const names = list.map(([prefix, n]) => `${prefix}${n}`);
      const back = hostList(names, 1000)
        .split(', ')
        .filter((part) => part !== '')
        .flatMap((part) => {
          const source = {path: 'hosts', text: part};
          const expanded = expandHosts(part, {source, start: 0, end: part.length});
          return expanded.ok ? expanded.value.names : [];
        });
      return back.join() === names.join();
    }),
  );
  t.pass();
});
