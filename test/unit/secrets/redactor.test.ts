import test from 'ava';
import fc from 'fast-check';
import {MASK, Secret} from '../../../src/base/secret.ts';
import {Redactor} from '../../../src/secrets/redactor.ts';

function knowing(...secrets: (string | Secret)[]): Redactor {
  const redactor = new Redactor();
  redactor.add(...secrets.map((one) => (typeof one === 'string' ? Secret.of(one) : one)));
  return redactor;
}

const hard = `pa"ss'wo/rd&<ü>\\ $x+?`;
const bytes = Buffer.from(hard);
const forms: Record<string, string> = {
  'the text itself': hard,
  'shell, single quotes': hard.replaceAll("'", "'\\''"),
  'shell, mixed quotes': hard.replaceAll("'", `'"'"'`),
  'shell, double quotes': `pa\\"ss'wo/rd&<ü>\\\\ \\$x+?`,
  json: JSON.stringify(hard),
  'json, ASCII only': JSON.stringify(hard).replaceAll('ü', '\\u00fc'),
  'url component': encodeURIComponent(hard),
  'url component, lower case': encodeURIComponent(hard).replace(/%../g, (code) => code.toLowerCase()),
  'url form': new URLSearchParams({q: hard}).toString(),
  'xml text': 'pa"ss\'wo/rd&amp;&lt;ü&gt;\\ $x+?',
  'xml attribute': "pa&quot;ss'wo/rd&amp;&lt;ü&gt;\\ $x+?",
  'xml attribute, single quotes': 'pa"ss&apos;wo/rd&amp;&lt;ü&gt;\\ $x+?',
  hex: bytes.toString('hex'),
  'hex, upper case': bytes.toString('hex').toUpperCase(),
};
for (const [name, form] of Object.entries(forms)) {
  test(`hidden: ${name}`, (t) => {
    const seen = knowing(hard).redact(`before ${form} after`);
    t.true(seen.includes(MASK), seen);
    t.notRegex(seen, /pa.*ss|70617373/);
    t.true(seen.startsWith('before ') && seen.endsWith(' after'));
  });
}

test('hidden in base64, wherever it stands', (t) => {
  fc.assert(
    fc.property(
      fc.string({minLength: 8, unit: 'binary'}),
      fc.uint8Array({maxLength: 9}),
      fc.uint8Array({maxLength: 9}),
      (secret, before, after) => {
        const all = Buffer.concat([before, Buffer.from(secret), after]);
        const redactor = knowing(secret);
        for (const encoding of ['base64', 'base64url'] as const) {
          const seen = redactor.redact(all.toString(encoding));
          t.true(seen.includes(MASK));
          const left = Math.ceil(Math.ceil((before.length * 8) / 6) / 4) * 4 + Math.ceil((after.length * 8) / 6) + 4;
          t.true(seen.replaceAll(MASK, '').length <= left);
        }
      },
    ),
  );
});

test('many secrets, any texts: none is left, and nothing else changes', (t) => {
  const secret = fc.string({minLength: 4, maxLength: 12, unit: fc.constantFrom('a', 'b', '.', '+', '\\', "'", 'Z')});
  fc.assert(
    fc.property(fc.array(secret, {minLength: 1, maxLength: 6}), fc.array(fc.nat({max: 5})), (secrets, picks) => {
      const text = picks.map((pick) => secrets[pick % secrets.length] ?? '').join(' - ');
      const seen = knowing(...secrets).redact(text);
      t.true(
        secrets.every((one) => !seen.includes(one)),
        `${text} -> ${seen}`,
      );
    }),
  );
  t.is(knowing('geheim').redact('nothing here'), 'nothing here');
  t.is(new Redactor().redact('nothing known'), 'nothing known');
});

test('the longer of two secrets wins', (t) => {
  const redactor = knowing('abcd', 'abcdefgh', 'efghij');
  t.is(redactor.redact('abcdefgh|abcd|efghij'), [MASK, MASK, MASK].join('|'));
});

test('short secrets are not looked for, lines from six characters on are', (t) => {
  t.is(knowing('abc', '').redact('abc def'), 'abc def');
  const key = '-----BEGIN KEY-----\nline-one\nab\n\tline-two\n-----END KEY-----\n';
  t.is(knowing(key).redact('x line-two, line-one, ab'), `x ${MASK}, ${MASK}, ab`);
  t.is(knowing(key).redact(`[${key}]`), `[${MASK}]`);
  t.is(knowing('geheim99\n').redact('got geheim99!'), `got ${MASK}!`);
});

test('of a partly secret text only the secret part is hidden', (t) => {
  const line = Secret.join(['user=root password=', Secret.of('geheim'), ' end']);
  const redactor = new Redactor();
  redactor.add(line);
  t.is(redactor.redact('root: geheim'), `root: ${MASK}`);
});

test('secrets may come later, bytes are hidden too', (t) => {
  const redactor = knowing('first-one');
  t.is(redactor.redact('first-one second-one'), `${MASK} second-one`);
  redactor.add('second-one');
  t.is(redactor.redact('first-one second-one'), `${MASK} ${MASK}`);
  t.is(Buffer.from(redactor.redactBytes(Buffer.from('a first-one'))).toString(), `a ${MASK}`);
  const binary = Uint8Array.from([0xff, 0xfe, 0, 1]);
  t.is(redactor.redactBytes(binary), binary);
});

test('a thousand secrets in a large text', (t) => {
  const secrets = Array.from({length: 1000}, (_, i) => `geheim-${i * 7919}-${i}`);
  const text = secrets
    .map((one, i) => `line ${i} of the log: nothing to see ${i % 10 === 0 ? one : ''}\n`.repeat(10))
    .join('');
  const seen = knowing(...secrets).redact(text);
  t.false(seen.includes('geheim-'));
  t.is(seen.split(MASK).length - 1, 1000);
});
