import test from 'ava';
import fc from 'fast-check';
import {MarkReader} from '../../../src/remote/framing.ts';

const nonce = '00112233445566778899aabbccddeeff';
const other = 'ffeeddccbbaa99887766554433221100';

/** What `printf` makes of the format that the shell gets. */
function mark(withNonce: string, ...fields: string[]): Buffer {
  return Buffer.from(`\x1e${[withNonce, ...fields].join(':')}\n`);
}

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let at = 0;
  for (const size of sizes) {
    if (at >= bytes.length) break;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  if (at < bytes.length) chunks.push(bytes.subarray(at));
  return chunks;
}

/** Contents that are nasty to framing: beginnings of marks (never the whole nonce, which no content can know), whole marks of another nonce, record separators. */
const nasty = fc.oneof(
  fc.uint8Array({maxLength: 200}).map((bytes) => Buffer.from(bytes)),
  fc.nat(40).map((length) => mark(nonce, '1', '0').subarray(0, Math.min(length, 32))),
  fc.constant(mark(other, '0', '0')),
  fc.constant(Buffer.from('\x1e\x1e\x1e')),
  fc.constant(Buffer.from('no newline at the end')),
  fc.constant(Buffer.from([0xc3, 0x28, 0xff, 0x00, 0x0a])),
);

test('contents come out exactly, wherever the chunks end', (t) => {
  fc.assert(
    fc.property(
      fc.array(
        fc.array(nasty, {maxLength: 4}).map((parts) => Buffer.concat(parts)),
        {minLength: 1, maxLength: 5},
      ),
      fc.array(fc.integer({min: 1, max: 60}), {maxLength: 80}),
      (contents, sizes) => {
        const stream = Buffer.concat(contents.flatMap((content, i) => [content, mark(nonce, String(i), '0')]));
        const reader = new MarkReader(nonce);
        const marks = cut(stream, sizes).flatMap((chunk) => reader.push(chunk));
        return (
          marks.length === contents.length &&
          marks.every((m, i) => m.before.equals(contents[i]!) && m.fields.join() === `${i},0`) &&
          reader.rest().length === 0
        );
      },
    ),
    {numRuns: 500},
  );
  t.pass();
});

test('what came since the last mark is not lost', (t) => {
  const reader = new MarkReader(nonce);
  reader.push(Buffer.concat([mark(nonce, 'b', '0'), Buffer.from('half \x1e0011')]));
  t.is(reader.rest().toString(), 'half \x1e0011');
});

test('a nonce without an end of line is content, not a mark without end', (t) => {
  const reader = new MarkReader(nonce);
  t.deepEqual(reader.push(Buffer.from(`\x1e${nonce}:${'x'.repeat(1000)}`)), []);
  t.is(reader.push(mark(nonce, '7', '0')).length, 1);
});
