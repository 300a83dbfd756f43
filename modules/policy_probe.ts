import {
  auditHost,
  converged,
  defineModule,
  isReachable,
  p,
  parseCertificate,
  refuse,
  type Host,
  type HostAudit,
  type Problem,
  type Values,
} from '#kit';
import {effectiveOptions, parseKey} from '#formats/authorized-keys';

const rules = [
  'tls-enforced',
  'strong-mechanisms',
  'console-login',
  'credentials-private',
  'qemu-group',
  'tunnel-accounts',
  'guests-current',
  'header-backups',
  'certificates-valid',
] as const;

const params = {
  rule: p.choice(rules, 'what is judged; without one nothing is, and the result says what there is to judge'),
  accounts: p.list(p.string('an account'), 'tunnel accounts, besides those whose keys say that they are', {
    default: [],
  }),
  days: p.integer('how long a certificate must be good for, in days', {default: 30, min: 0}),
  backups: p.list(p.path('a folder'), 'folders that hold copies of LUKS headers, directly or one folder further down', {
    default: ['/root', '/root/luks', '/etc/luks', '/var/backups', '/var/lib/luks'],
  }),
};
type V = Values<typeof params>;

/**
 * Judges what is there by the rules of the field notes, on hosts that no playbook manages as well: what is absent is no failure. It changes nothing; what breaks
 * a rule is a finding.
 */
export default defineModule({
  name: 'policy_probe',
  summary: 'Judge consoles, credentials, tunnel accounts and encrypted volumes by rules',
  params,
  examples: [
    '- policy_probe:\n  register: seen\n',
    '- policy_probe:\n  register: seen\n- policy_probe:\n    rule: tls-enforced\n  when: seen.applicable["tls-enforced"]\n',
    '- policy_probe:\n    rule: certificates-valid\n    days: 60\n',
  ],
  probe: (v) => auditHost(v.backups),
  plan: (v, now, host) => {
    if (v.rule === undefined || !isApplicable(v.rule, v, now)) return converged();
    if (now.problem !== '' && guestRules.has(v.rule))
      return refuse('no-libvirt', `libvirt does not answer: ${now.problem}`, {
        help: 'is libvirtd running? is `become` on?',
      });
    if (!now.root && rootRules.has(v.rule))
      return refuse('not-root', 'this can be judged by root only', {help: 'become: true'});
    return converged({findings: judge(v, now, host)});
  },
  result: (v, now) => ({
    guests: now.guests.map(({name}) => name),
    applicable: Object.fromEntries(rules.map((rule) => [rule, isApplicable(rule, v, now)])),
  }),
});

const guestRules = new Set<string>(['tls-enforced', 'console-login', 'guests-current']);
const rootRules = new Set<string>(['credentials-private', 'tunnel-accounts', 'header-backups', 'certificates-valid']);

/** Whether there is anything that the rule is about. What cannot be told counts as there, so that it is said. */
function isApplicable(rule: (typeof rules)[number], v: V, now: HostAudit): boolean {
  if (!now.root && rootRules.has(rule)) return true;
  const {guests, settings} = now;
  const consoles = guests.filter(({console}) => console !== undefined).length > 0 || now.problem !== '';
  switch (rule) {
    case 'tls-enforced':
      return settings.sasl && (consoles || guests.length === 0);
    case 'strong-mechanisms':
      return settings.sasl || now.hasSaslConf;
    case 'console-login':
      return consoles;
    case 'credentials-private':
      return now.credentials.length > 0;
    case 'qemu-group':
      return now.groups.length > 0;
    case 'tunnel-accounts':
      return tunnels(v, now).length > 0;
    case 'guests-current':
      return guests.some(({running}) => running) || now.problem !== '';
    case 'header-backups':
      return now.encrypted.length > 0;
    case 'certificates-valid':
      return now.certificates.length > 0 || settings.tls;
  }
}

function judge(v: V, now: HostAudit, host: Host): readonly Problem[] {
  switch (v.rule) {
    case 'tls-enforced':
      return withoutTls(now);
    case 'strong-mechanisms':
      return mechanisms(now);
    case 'console-login':
      return openConsoles(now);
    case 'credentials-private':
      return readable(now);
    case 'qemu-group':
      return groupMembers(now);
    case 'tunnel-accounts':
      return tunnelAccounts(v, now);
    case 'guests-current':
      return staleGuests(now);
    case 'header-backups':
      return backups(now);
    case 'certificates-valid':
      return certificates(v, now, host);
    case undefined:
      return [];
  }
}

function withoutTls({guests, settings}: HostAudit): readonly Problem[] {
  const findings: Problem[] = [];
  if (!settings.sasl) return findings;
  if (!settings.tls)
    findings.push({
      code: 'sasl-without-tls',
      message: 'SPICE consoles ask for a SASL login, but TLS is off: passwords travel in the clear',
      help: 'qemu_conf: {settings: {spice_tls: 1}}, with a certificate (x509_certificate)',
    });
  for (const {name, console} of guests) {
    if (console === undefined || console.port === 'none' || !isReachable(console, settings)) continue;
    const secured =
      console.defaultMode === 'secure' && Object.values(console.channels).every((one) => one === 'secure');
    if (!secured)
      findings.push({
        code: 'tls-not-enforced',
        message: `the console of ${name} takes SASL logins without TLS (port ${console.port}, default mode ${console.defaultMode})`,
        help: `spice_graphics: {domain: ${name}, port: none, default_mode: secure}`,
      });
  }
  return findings;
}

/** Broken or no cryptography, or no authentication at all. *source*: RFC 6331 (DIGEST-MD5 to historic), RFC 4757, cyrus-sasl's documentation. */
const weak = new Set(['DIGEST-MD5', 'CRAM-MD5', 'NTLM', 'PASSDSS-3DES-1', 'KERBEROS_V4', 'ANONYMOUS', 'SKEY']);

function mechanisms({settings}: HostAudit): readonly Problem[] {
  const help = 'sasl_conf: {service: qemu, mech_list: [scram-sha-256]}, or [plain] with saslauthd';
  if (settings.mechanisms.length === 0)
    return [
      {
        code: 'weak-mechanism',
        message: '/etc/sasl2/qemu.conf names no mechanisms: every installed one is offered, weak ones too',
        help,
      },
    ];
  const offered = settings.mechanisms.filter((name) => weak.has(name.toUpperCase()));
  if (offered.length === 0) return [];
  const names = offered.map((name) => name.toLowerCase()).join(', ');
  return [
    {code: 'weak-mechanism', message: `consoles offer ${names}: broken cryptography, or no authentication`, help},
  ];
}

function openConsoles({guests, settings, commonPassword}: HostAudit): readonly Problem[] {
  if (settings.sasl || commonPassword) return [];
  return guests
    .filter(({console}) => console !== undefined && console.password === undefined && isReachable(console, settings))
    .map(({name}) => ({
      code: 'open-console',
      message: `the console of ${name} is open to whoever reaches its port: neither SASL nor a password`,
      help: `qemu_conf: {settings: {spice_sasl: 1}}, or spice_graphics: {domain: ${name}, listen: 127.0.0.1}`,
    }));
}

function readable({credentials}: HostAudit): readonly Problem[] {
  return credentials
    .filter(({mode}) => (mode & 0o007) !== 0)
    .map(({path, mode, owner, group}) => ({
      code: 'credentials-readable',
      message: `${path} holds credentials and has the mode ${mode.toString(8).padStart(4, '0')} (${owner}:${group}): everybody on the host may use it`,
      help: `file: {path: ${path}, mode: "0640"}`,
    }));
}

function groupMembers({groups}: HostAudit): readonly Problem[] {
  return groups
    .filter(({others}) => others.length > 0)
    .map(({name, account, others}) => ({
      code: 'extra-group-members',
      message: `${others.join(', ')} ${others.length === 1 ? 'is' : 'are'} in the group ${name}: it reads the consoles' keys and passwords`,
      help: `group_members: {name: ${name}, exactly: [${account}]}`,
    }));
}

/** Accounts that were named, and those with a key that is for forwarding: `permitopen`, or port forwarding and nothing else. */
function tunnels(v: V, {accounts}: HostAudit): HostAudit['accounts'] {
  return accounts.filter(
    ({name, lines}) =>
      v.accounts.includes(name) ||
      lines.some((line) => {
        const key = parseKey(line);
        if (key === undefined) return false;
        const {restricted, portForwarding, others} = effectiveOptions(key.options);
        return Object.hasOwn(others, 'permitopen') || (restricted && portForwarding);
      }),
  );
}

function tunnelAccounts(v: V, now: HostAudit): readonly Problem[] {
  return tunnels(v, now).flatMap(({name, shell, path, lines}) => {
    const findings: Problem[] = [];
    if (!/\/(?:nologin|false)$/.test(shell))
      findings.push({
        code: 'tunnel-login-shell',
        message: `the tunnel account ${name} has the login shell ${shell === '' ? '/bin/sh' : shell}`,
        help: `user: {name: ${name}, shell: /usr/sbin/nologin}`,
      });
    const loose = lines
      .flatMap((line) => parseKey(line) ?? [])
      .filter((key) => !effectiveOptions(key.options).restricted);
    for (const key of loose)
      findings.push({
        code: 'unrestricted-key',
        message: `${path} holds a key without \`restrict\`: ${key.type} ${key.comment}`.trim(),
        help: `ssh_restrict: {user: ${name}, permit_open: ["localhost:PORT"], exclusive: true}`,
      });
    return findings;
  });
}

function staleGuests({guests}: HostAudit): readonly Problem[] {
  return guests
    .filter(({stale}) => stale.length > 0)
    .map(({name, stale}) => ({
      code: 'guest-outdated',
      message: `the guest ${name} runs with older settings: ${stale.join('; ')}`,
      help: `power-cycle it, or libvirt_domain: {name: ${name}, state: running, power_cycle: if_pending}`,
    }));
}

function backups({encrypted, backups: copies}: HostAudit): readonly Problem[] {
  return encrypted
    .filter(({uuid}) => !copies.includes(uuid))
    .map(({device, uuid}) => ({
      code: 'no-header-backup',
      message: `no copy of the LUKS header of ${device} (${uuid}) was found: one damaged sector there loses the volume`,
      help: 'luks_volume: {header_backup: /root/luks/NAME.header}; a copy that lies elsewhere is a case for a waiver',
    }));
}

function certificates(v: V, now: HostAudit, host: Host): readonly Problem[] {
  const dayMs = 86_400_000;
  const help = 'x509_certificate: {renew_before_days: 30}';
  if (now.certificates.length === 0)
    return [{code: 'no-certificate', message: 'spice_tls is on, and there is no certificate', help}];
  return now.certificates.flatMap(({path, pem}): readonly Problem[] => {
    const certificate = parseCertificate(pem);
    if (certificate === undefined) return [{code: 'no-certificate', message: `${path} holds no certificate`, help}];
    const left = Math.floor((certificate.notAfterMs - host.now.getTime()) / dayMs);
    if (certificate.notBeforeMs > host.now.getTime())
      return [{code: 'certificate-not-yet-valid', message: `${path} is not valid yet`, help: 'look at the clocks'}];
    if (left < 0) return [{code: 'certificate-expired', message: `${path} expired ${-left} days ago`, help}];
    return left >= v.days ? [] : [{code: 'certificate-expiring', message: `${path} expires in ${left} days`, help}];
  });
}
