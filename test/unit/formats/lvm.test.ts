import test from 'ava';
import fc from 'fast-check';
import {formatSize, parseLvs, parseSize, parseVgs, sizeArguments, wholeExtents} from '../../../src/formats/lvm.ts';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

test('logical volumes', (t) => {
  const lvs = parseLvs(`  {
      "report": [
          {
              "lv": [
                  {"lv_name":"root", "vg_name":"vg0", "lv_size":"10737418240B", "lv_attr":"-wi-ao----", "lv_uuid":"abc", "lv_path":"/dev/vg0/root"},
                  {"lv_name":"spare", "vg_name":"vg0", "lv_size":"4194304", "lv_attr":"-wi-------", "lv_path":""}
              ]
          }
      ]
  }
`);
  t.deepEqual(lvs, {
    ok: true,
    value: [
      {
        name: 'root',
        vg: 'vg0',
        sizeBytes: 10 * GIB,
        attributes: '-wi-ao----',
        uuid: 'abc',
        path: '/dev/vg0/root',
        active: true,
        open: true,
      },
      {
        name: 'spare',
        vg: 'vg0',
        sizeBytes: 4 * MIB,
        attributes: '-wi-------',
        uuid: undefined,
        path: undefined,
        active: false,
        open: false,
      },
    ],
  });
  t.deepEqual(parseLvs('{"report":[{"lv":[]}]}'), {ok: true, value: []});
});

test('volume groups', (t) => {
  const vgs = parseVgs(
    '{"report":[{"vg":[{"vg_name":"vg0","vg_size":"107374182400B","vg_free":"0B","vg_extent_size":"4194304B"}]}],"log":[]}',
  );
  t.deepEqual(vgs, {
    ok: true,
    value: [{name: 'vg0', sizeBytes: 100 * GIB, freeBytes: 0, extentBytes: 4 * MIB, uuid: undefined}],
  });
});

test('reports that are not understood', (t) => {
  for (const json of [
    '',
    'lvs: not found',
    '{}',
    '{"report":[{}]}',
    '{"report":[{"lv":[{"lv_name":"x"}]}]}',
    '{"report":[{"lv":[{"lv_name":"x","vg_name":"v","lv_size":"10.00g","lv_attr":"-"}]}]}',
  ]) {
    const parsed = parseLvs(json);
    t.is(parsed.ok ? undefined : parsed.problems[0].code, 'lvm-report', json);
  }
});

const sizes: Record<string, number> = {
  '10G': 10 * GIB,
  '10g': 10 * GIB,
  '10 GiB': 10 * GIB,
  '512M': 512 * MIB,
  '512': 512 * MIB,
  '1.5g': 1.5 * GIB,
  '1048576b': MIB,
  '2048s': MIB,
  '1024K': MIB,
  '1T': 1024 * GIB,
};
for (const [text, bytes] of Object.entries(sizes)) {
  test(`size ${text}`, (t) => t.deepEqual(parseSize(text), {ok: true, value: {kind: 'bytes', bytes}}));
}
test('shares', (t) => {
  t.deepEqual(parseSize('100%FREE'), {ok: true, value: {kind: 'percent', percent: 100, of: 'FREE'}});
  t.deepEqual(parseSize('50%vg'), {ok: true, value: {kind: 'percent', percent: 50, of: 'VG'}});
  t.deepEqual(sizeArguments({kind: 'percent', percent: 50, of: 'VG'}), ['--extents', '50%VG']);
  t.deepEqual(sizeArguments({kind: 'bytes', bytes: 5}), ['--size', '5b']);
});
for (const text of ['', 'big', '-1G', '0', '10GB', '10X', '0%FREE', '101%VG', '50%', '1e9', '9999999e']) {
  test(`no size: ${text}`, (t) => {
    const parsed = parseSize(text);
    t.is(parsed.ok ? undefined : parsed.problems[0].code, 'lvm-size');
  });
}

test('what is printed is read back', (t) => {
  t.deepEqual([10 * GIB, 1536 * MIB, 513, 1024].map(formatSize), ['10g', '1536m', '513b', '1k']);
  fc.assert(
    fc.property(fc.integer({min: 1, max: 2 ** 40}), fc.integer({min: 0, max: 12}), (number, shift) => {
      const bytes = number * 2 ** shift;
      t.deepEqual(parseSize(formatSize(bytes)), {ok: true, value: {kind: 'bytes', bytes}});
    }),
  );
});

test('whole extents', (t) => {
  t.deepEqual(
    [1, 4 * MIB, 4 * MIB + 1].map((bytes) => wholeExtents(bytes, 4 * MIB)),
    [4 * MIB, 4 * MIB, 8 * MIB],
  );
});
