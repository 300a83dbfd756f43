import {readFileSync} from 'node:fs';
import test from 'ava';
import policyProbe from '../../modules/policy_probe.ts';
import {parseAudit, parseCertificate, type HostAudit} from '../../src/kit/index.ts';
import {bound, debianHost, planned} from './bound.ts';

/** A reply as the host gives it: sections of a name and a text. */
function seen(...sections: readonly (readonly [name: string, text?: string])[]): HostAudit {
  const text = [['root'] as const, ...sections].map(([name, body = '']) => `\u0001${name}\n${body}`).join('');
  return parseAudit({exit: 0, stdout: new TextEncoder().encode(text), stderr: new Uint8Array()});
}

function guest(graphics: string): string {
  return `<domain type='kvm'><name>g</name><devices>${graphics}</devices></domain>`;
}

const open =
  "<graphics type='spice' port='5900' autoport='no' listen='0.0.0.0'><listen type='address' address='0.0.0.0'/></graphics>";
const secure =
  "<graphics type='spice' tlsPort='5901' autoport='no' defaultMode='secure' listen='0.0.0.0'><listen type='address' address='0.0.0.0'/></graphics>";
const local =
  "<graphics type='spice' port='5900' autoport='no'><listen type='address' address='127.0.0.1'/></graphics>";
const withPassword = open.replace("autoport='no'", "autoport='no' passwd='geheim'");
const sasl = ['qemuconf', 'spice_sasl = 1\nspice_tls = 1\n'] as const;
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJTi9fMR/Ia5/K1DdjHddwRrivpqYP9rL4ZEwlKV05Pt who';

type Row = readonly [
  title: string,
  rule: string,
  sections: readonly (readonly [string, string?])[],
  found: readonly string[],
  applicable?: boolean,
  given?: Record<string, unknown>,
];
const table: readonly Row[] = [
  ['nothing there', 'tls-enforced', [], [], false],
  ['SASL without TLS', 'tls-enforced', [['qemuconf', 'spice_sasl = 1\n']], ['sasl-without-tls'], true],
  ['a plain port', 'tls-enforced', [sasl, ['libvirt'], ['xml g', guest(open)]], ['tls-not-enforced'], true],
  ['the TLS port alone', 'tls-enforced', [sasl, ['libvirt'], ['xml g', guest(secure)]], [], true],
  ['a plain port on loopback', 'tls-enforced', [sasl, ['libvirt'], ['xml g', guest(local)]], [], true],
  ['no SASL', 'tls-enforced', [['libvirt'], ['xml g', guest(open)]], [], false],
  ['weak among good', 'strong-mechanisms', [['saslconf', 'mech_list: plain digest-md5\n']], ['weak-mechanism'], true],
  ['good ones', 'strong-mechanisms', [['saslconf', 'mech_list: plain scram-sha-256\n']], [], true],
  ['no list', 'strong-mechanisms', [sasl], ['weak-mechanism'], true],
  ['no SASL at all', 'strong-mechanisms', [['qemuconf', '']], [], false],
  ['open to all', 'console-login', [['libvirt'], ['xml g', guest(open)]], ['open-console'], true],
  ['a password', 'console-login', [['libvirt'], ['xml g', guest(withPassword)]], [], true],
  [
    'a password for all consoles',
    'console-login',
    [['libvirt'], ['xml g', guest(open)], ['qemuconf', 'spice_password = "x"\n']],
    [],
    true,
  ],
  ['no console', 'console-login', [['libvirt'], ['xml g', guest('')]], [], false],
  [
    'readable by others',
    'credentials-private',
    [['credentials', '644 root kvm /etc/sasldb2\n']],
    ['credentials-readable'],
    true,
  ],
  ['for the group only', 'credentials-private', [['credentials', '640 root kvm /a b\n']], [], true],
  [
    'extra members',
    'qemu-group',
    [['groups', 'libvirt-qemu libvirt-qemu libvirt-qemu, ann\n']],
    ['extra-group-members'],
    true,
  ],
  ['the account alone', 'qemu-group', [['groups', 'libvirt-qemu libvirt-qemu libvirt-qemu, \n']], [], true],
  [
    'a tunnel with a shell and a loose key',
    'tunnel-accounts',
    [['keys uvmb /bin/bash /home/uvmb/.ssh/authorized_keys', `permitopen="localhost:1" ${key}\n`]],
    ['tunnel-login-shell', 'unrestricted-key'],
    true,
  ],
  [
    'a tunnel as it should be',
    'tunnel-accounts',
    [
      [
        'keys uvmb /usr/sbin/nologin /h/.ssh/authorized_keys',
        `restrict,port-forwarding,permitopen="localhost:1" ${key}\n`,
      ],
    ],
    [],
    true,
  ],
  ['people', 'tunnel-accounts', [['keys ann /bin/bash /h/.ssh/authorized_keys', `${key}\n`]], [], false],
  [
    'an account that was named',
    'tunnel-accounts',
    [['keys ann /bin/false /h/.ssh/authorized_keys', `${key}\n`]],
    ['unrestricted-key'],
    true,
    {accounts: ['ann']},
  ],
  [
    'no copy',
    'header-backups',
    [
      ['luks', 'u-1 /dev/mapper/v\n'],
      ['backups', 'u-2\n'],
    ],
    ['no-header-backup'],
    true,
  ],
  [
    'a copy',
    'header-backups',
    [
      ['luks', 'u-1 /dev/mapper/v\n'],
      ['backups', 'u-2\nu-1\n'],
    ],
    [],
    true,
  ],
  ['TLS, and no certificate', 'certificates-valid', [sasl], ['no-certificate'], true],
  ['no certificate, and no TLS', 'certificates-valid', [], [], false],
  ['rubbish', 'certificates-valid', [['cert /c', 'x']], ['no-certificate'], true],
  [
    'it runs, and was started before its settings changed',
    'guests-current',
    [
      ['libvirt'],
      ['xml g', guest(secure)],
      ['live g', guest(secure)],
      ['started g', '100\n'],
      ['settings', '200 /etc/libvirt/qemu.conf\n'],
    ],
    ['guest-outdated'],
    true,
  ],
  [
    'it is off',
    'guests-current',
    [['libvirt'], ['xml g', guest(secure)], ['settings', '200 /etc/libvirt/qemu.conf\n']],
    [],
    false,
  ],
];
for (const [title, rule, sections, found, applicable = true, given = {}] of table) {
  test(`policy_probe ${rule}: ${title}`, (t) => {
    const state = seen(...sections);
    const plan = planned(policyProbe, {rule, ...given}, state);
    t.is(plan.kind, 'converged');
    t.deepEqual(
      (plan.findings ?? []).map(({code}) => code),
      found,
    );
    const result = policyProbe.result?.(bound(policyProbe, given), state as never, state as never, []) as {
      applicable: Record<string, boolean>;
    };
    t.is(result.applicable[rule], applicable);
    t.notRegex(JSON.stringify(plan), /geheim/);
  });
}

test('what cannot be told is refused, not passed', (t) => {
  const state = seen(['libvirt'], ['problem', 'no connection\n']);
  t.is(planned(policyProbe, {rule: 'console-login'}, state).kind, 'refuse');
  t.is(planned(policyProbe, {rule: 'header-backups'}, {...state, root: false}).kind, 'refuse');
  t.is(planned(policyProbe, {rule: 'strong-mechanisms'}, {...state, root: false}).kind, 'converged');
  t.is(planned(policyProbe, {}, state).kind, 'converged');
});

const pem = readFileSync(new URL('../../lab/proof/stranger-ca.pem', import.meta.url), 'utf8');
const ends = parseCertificate(pem)!.notAfterMs;
for (const [days, code] of [
  [31, undefined],
  [29, 'certificate-expiring'],
  [-2, 'certificate-expired'],
  [100_000, 'certificate-not-yet-valid'],
] as const) {
  test(`a certificate with ${days} days left is judged by the time of the run`, (t) => {
    const host = {...debianHost, now: new Date(ends - days * 86_400_000)};
    const plan = planned(policyProbe, {rule: 'certificates-valid'}, seen(['cert /c', pem]), host);
    t.is(plan.findings?.[0]?.code, code);
  });
}
