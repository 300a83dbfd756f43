import fc from 'fast-check';
import test from 'ava';
import {
  canonicalControl,
  findRules,
  insertRule,
  jumpProblems,
  jumpsOf,
  ownerOf,
  parsePam,
  printPam,
  removeRule,
  renderPam,
  replaceRule,
  rulesOf,
  sameControl,
  sameStack,
} from '../../../src/formats/pam.ts';
import type {PamPlace, PamRule, PamStack} from '../../../src/formats/pam.ts';

// The default common-auth of Debian 12, comments shortened.
const debian = `# As of pam 1.0.1-6, this file is managed by pam-auth-update by default.

# here are the per-package modules (the "Primary" block)
auth\t[success=1 default=ignore]\tpam_unix.so nullok
# here's the fallback if no module succeeds
auth\trequisite\t\t\tpam_deny.so
auth\trequired\t\t\tpam_permit.so
# and here are more per-package modules (the "Additional" block)
auth\toptional\t\t\tpam_cap.so 
# end of pam-auth-update config
`;

function inserted(text: string, rule: PamRule, place: PamPlace): string {
  const result = insertRule(parsePam(text), rule, place);
  return result.ok ? printPam(result.value) : result.problems[0].code;
}

function removed(text: string, module: string): string {
  const stack = parsePam(text);
  return printPam(findRules(stack, {module}).toReversed().reduce(removeRule, stack));
}

const sss: PamRule = {type: 'auth', control: 'sufficient', module: 'pam_sss.so', args: ['use_first_pass']};

test('reads types, quiet rules, bracketed words, continuations and comments', (t) => {
  const text =
    '-session optional pam_systemd.so # why\nAUTH [ success=2 default=ignore ] pam_x.so a\\\n  [b c] d # e \\\n@include common-auth\nbroken line\nauth required\n';
  const stack = parsePam(text);
  t.deepEqual(rulesOf(stack), [
    {type: 'session', quiet: true, control: 'optional', module: 'pam_systemd.so'},
    {type: 'auth', control: '[ success=2 default=ignore ]', module: 'pam_x.so', args: ['a', 'b c', 'd']},
  ]);
  t.deepEqual(
    stack.lines.map((line) => line.kind),
    ['rule', 'rule', 'include', 'other', 'other'],
  );
});

test('controls are compared by meaning', (t) => {
  for (const [a, b] of [
    ['required', '[success=ok new_authtok_reqd=ok ignore=ignore default=bad]'],
    ['requisite', '[default=die  ignore=ignore new_authtok_reqd=ok success=ok]'],
    ['sufficient', '[ default=ignore new_authtok_reqd=done success = done user_unknown=ignore ]'],
    ['REQUIRED', 'required'],
  ] as const) {
    t.true(sameControl(a, b), `${a} / ${b}: ${canonicalControl(a)} ${canonicalControl(b)}`);
  }
  for (const [a, b] of [
    ['required', 'requisite'],
    ['[success=1 default=ignore]', '[success=2 default=ignore]'],
    ['include', 'substack'],
  ] as const) {
    t.false(sameControl(a, b), `${a} / ${b}`);
  }
});

test('stacks are compared per type, comments and interleaving aside', (t) => {
  const a = parsePam('auth required pam_a.so\naccount required pam_b.so\nauth include common-auth\n');
  const b = parsePam('# x\naccount  required\tpam_b.so\n\nauth required pam_a.so # y\nauth include common-auth');
  t.true(sameStack(a, b));
  t.false(sameStack(a, parsePam('auth include common-auth\nauth required pam_a.so\naccount required pam_b.so\n')));
  t.false(
    sameStack(a, parsePam('@include x\nauth required pam_a.so\naccount required pam_b.so\nauth include common-auth\n')),
  );
});

test('an inserted rule moves the jumps that reach over it', (t) => {
  const jump = (text: string): string => /\[.*?\]/.exec(text)?.[0] ?? '';
  const table: [place: PamPlace, jump: string][] = [
    [{after: {module: 'pam_unix.so'}}, '[success=2 default=ignore]'],
    [{after: {module: 'pam_deny.so'}}, '[success=2 default=ignore]'],
    [{before: {type: 'auth', module: 'pam_permit.so'}}, '[success=2 default=ignore]'],
    [{after: {module: 'pam_permit.so'}}, '[success=1 default=ignore]'],
    [{before: {module: 'pam_unix.so', args: ['nullok']}}, '[success=1 default=ignore]'],
    ['end', '[success=1 default=ignore]'],
  ];
  for (const [place, expected] of table) t.is(jump(inserted(debian, sss, place)), expected, JSON.stringify(place));
  t.is(
    jump(inserted(debian, {...sss, type: 'account'}, {after: {module: 'pam_unix.so'}})),
    '[success=1 default=ignore]',
  );
  t.is(inserted(debian, sss, {after: {module: 'pam_none.so'}}), 'pam-anchor-missing');
});

test('an insertion changes two lines at most', (t) => {
  t.is(
    inserted(debian, sss, {after: {module: 'pam_unix.so'}}),
    debian
      .replace('success=1', 'success=2')
      .replace("# here's", "auth\tsufficient\tpam_sss.so use_first_pass\n# here's"),
  );
  t.true(
    inserted(debian, sss, 'end').endsWith(
      'pam_cap.so \nauth\tsufficient\tpam_sss.so use_first_pass\n# end of pam-auth-update config\n',
    ),
  );
  t.is(inserted('', sss, 'end'), 'auth\tsufficient\tpam_sss.so use_first_pass\n');
  t.is(
    inserted('auth required a.so', {type: 'auth', control: 'required', module: 'b.so'}, 'end'),
    'auth required a.so\nauth\trequired\tb.so\n',
  );
});

test('a removed rule shortens the jumps over it; a jump over nothing becomes ok or ignore', (t) => {
  t.true(removed(debian, 'pam_deny.so').includes('[success=ok default=ignore]'));
  t.true(removed(debian, 'pam_permit.so').includes('[success=1 default=ignore]'));
  t.true(
    removed('auth [success=2 default=1] a.so\nauth required b.so\nauth required c.so\n', 'b.so').startsWith(
      'auth [success=1 default=ignore] a.so',
    ),
  );
  t.is(removed(debian, 'pam_unix.so'), debian.replace(/auth\t\[.*\n/, ''));
});

/** The module on which each rule's first jump lands. */
function landings(stack: PamStack): Record<string, string> {
  const rules = rulesOf(stack);
  return Object.fromEntries(
    rules.flatMap((rule, i): [string, string][] => {
      const [skipped] = jumpsOf(rule.control);
      const target = skipped === undefined ? undefined : rules[i + skipped + 1]?.module;
      return target === undefined ? [] : [[rule.module, target]];
    }),
  );
}

test('law: after an insertion every jump lands on the same rule, and removal undoes it', (t) => {
  const stackText = fc
    .array(fc.option(fc.integer({min: 1, max: 4}), {nil: undefined}), {minLength: 1, maxLength: 7})
    .map((jumps) =>
      jumps
        .map(
          (skip, i) =>
            `auth ${skip === undefined || skip > jumps.length - i - 2 ? 'required' : `[success=${skip} default=ignore]`} m${i}.so\n`,
        )
        .join(''),
    );
  fc.assert(
    fc.property(stackText, fc.nat(), fc.boolean(), (text, at, after) => {
      const stack = parsePam(text);
      const rules = rulesOf(stack);
      const module = rules[at % rules.length]?.module ?? '';
      const result = insertRule(stack, sss, after ? {after: {module}} : {before: {module}});
      if (!result.ok) return false;
      const [index = -1] = findRules(result.value, {module: sss.module});
      return (
        JSON.stringify(landings(result.value)) === JSON.stringify(landings(stack)) &&
        jumpProblems(result.value).length === 0 &&
        printPam(removeRule(result.value, index)) === text
      );
    }),
  );
  t.pass();
});

test('jumps past the end and over includes are problems', (t) => {
  const kinds = (text: string): string[] => jumpProblems(parsePam(text)).map(({kind, index}) => `${kind} ${index}`);
  t.deepEqual(kinds(debian), []);
  t.deepEqual(kinds('auth [success=1 default=ignore] a.so\n'), ['past-end 0']);
  t.deepEqual(kinds('auth [success=1 default=ignore] a.so\naccount required b.so\n'), ['past-end 0']);
  t.deepEqual(kinds('auth [success=2 default=ignore] a.so\nauth include common-auth\nauth required b.so\n'), [
    'over-include 0',
  ]);
  t.deepEqual(kinds('auth [success=1 default=ignore] a.so\n@include common-auth\n'), ['over-include 0']);
  t.deepEqual(kinds('auth [success=1 default=ignore] a.so\nauth substack common-auth\n'), []);
});

test('a replaced rule keeps blanks and comments; an equal one keeps its bytes', (t) => {
  const text = '  auth \t required  \\\n pam_a.so  x  y # note\n';
  const replaced = (rule: PamRule): string => printPam(replaceRule(parsePam(text), 0, rule));
  const rule: PamRule = {type: 'auth', control: 'required', module: 'pam_a.so', args: ['x', 'y']};
  t.is(replaced({...rule, control: '[default=bad success=ok new_authtok_reqd=ok ignore=ignore]'}), text);
  t.is(replaced({...rule, control: 'sufficient'}), text.replace('required', 'sufficient'));
  t.is(replaced({...rule, quiet: true, args: ['x', 'a b']}), '  -auth \t required  \\\n pam_a.so  x [a b] # note\n');
  t.is(replaced({type: 'auth', control: 'required', module: 'pam_b.so'}), '  auth \t required  \\\n pam_b.so # note\n');
});

test('law: a rendered stack reads back as the same rules', (t) => {
  const word = fc.stringMatching(/^[a-z_]{1,8}$/);
  const rule = fc.record({
    type: fc.constantFrom('auth', 'account', 'password', 'session'),
    control: fc.constantFrom('required', 'include', '[success=1 default=ignore]'),
    module: word,
    args: fc.array(fc.oneof(word, fc.constantFrom('a b', 'x=[y z]', '[q]', '')), {minLength: 1, maxLength: 3}),
  });
  fc.assert(
    fc.property(fc.array(rule), (rules) => {
      t.deepEqual(rulesOf(parsePam(renderPam(rules, 'one\ntwo'))), rules);
    }),
  );
});

test('files of tools are recognised', (t) => {
  t.is(ownerOf(debian), 'pam-auth-update');
  t.is(
    ownerOf('#%PAM-1.0\n#\n# This file is autogenerated by pam-config. All changes\n# will be overwritten.\n'),
    'pam-config',
  );
  t.is(ownerOf('# Generated by authselect on Tue\n# Do not modify this file manually.\n'), 'authselect');
  t.is(
    ownerOf(
      '#%PAM-1.0\n# This file is auto-generated.\n# User changes will be destroyed the next time authconfig is run.\n',
    ),
    'authconfig',
  );
  t.is(ownerOf('auth required pam_nologin.so\n'), undefined);
});
