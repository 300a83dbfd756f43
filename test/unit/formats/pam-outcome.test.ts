import test from 'ava';
import {parsePam} from '../../../src/formats/pam.ts';
import {isPamControl, pamOutcomes} from '../../../src/formats/pam-outcome.ts';

/** What the auth rules come to: S = can succeed, F = can fail; then the positions that nothing leads to. */
const cases: [string, string, string][] = [
  ['auth required pam_unix.so', 'SF', ''],
  ['auth required pam_deny.so', 'F', ''],
  ['auth required pam_permit.so', 'S', ''],
  ['auth requisite pam_deny.so\nauth required pam_unix.so', 'F', '1'],
  ['auth required pam_unix.so\nauth required pam_deny.so', 'F', ''],
  ['auth required pam_deny.so\nauth sufficient pam_rootok.so', 'F', ''],
  ['auth sufficient pam_rootok.so\nauth required pam_deny.so', 'SF', ''],
  ['auth sufficient pam_permit.so\nauth required pam_unix.so', 'S', '1'],
  ['auth [success=1 default=ignore] pam_unix.so\nauth requisite pam_deny.so\nauth required pam_permit.so', 'SF', ''],
  ['auth [success=2 default=ignore] pam_unix.so\nauth requisite pam_deny.so', 'F', ''],
  ['auth [default=2] pam_unix.so\nauth required pam_unix.so\nauth required pam_permit.so', 'SF', '1 2'],
  ['auth optional pam_deny.so', 'F', ''],
  ['auth [success=reset default=die] pam_unix.so', 'F', ''],
  ['auth [user_unknown=ok default=die] pam_deny.so', 'SF', ''],
  ['auth include common-auth', 'SF', ''],
  ['@include common-auth\nauth required pam_deny.so', 'SF', ''],
  ['account required pam_deny.so', 'SF', ''],
];
for (const [text, outcome, unreached] of cases) {
  test(text.replaceAll('\n', ' | '), (t) => {
    const found = pamOutcomes(parsePam(`${text}\n`), 'auth');
    t.is(`${found.canSucceed ? 'S' : ''}${found.canFail ? 'F' : ''}`, outcome);
    t.is(found.unreached.join(' '), unreached);
  });
}

test('controls', (t) => {
  for (const good of [
    'required',
    'Sufficient',
    'include',
    '[success=1 default=ignore]',
    '[success=ok new_authtok_reqd=done default=die]',
  ])
    t.true(isPamControl(good), good);
  for (const bad of ['requird', '', '[]', '[success]', '[success=maybe]', '[success=0]', '[success=1', '@include'])
    t.false(isPamControl(bad), bad);
});
