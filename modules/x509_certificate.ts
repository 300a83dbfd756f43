import {
  Secret,
  all,
  attributeFields,
  bytesOf,
  certificateNames,
  change,
  compareAttributes,
  converged,
  defineModule,
  file,
  followed,
  group,
  isNonEmpty,
  keyMatches,
  list,
  octal,
  p,
  parseCertificate,
  platformOf,
  platforms,
  powerCycle,
  presentText,
  refuse,
  refuseAll,
  rewrite,
  runningGuests,
  sha256,
  signedBy,
  textOf,
  type Certificate,
  type Change,
  type ControllerFile,
  type FileState,
  type GroupState,
  type Host,
  type Op,
  type PresentText,
  type Problem,
  type RunningGuest,
  type Values,
  type X509Spec,
} from '#kit';

const params = {
  dir: p.path('folder on the host', {required: true}),
  names: p.list(
    p.string('a host name or an address', {
      pattern: '^[A-Za-z0-9*][A-Za-z0-9.:_-]*$',
      describe: 'a host name or an IP address',
    }),
    'what clients call the server: every one is in the certificate',
    {
      required: true,
      nonEmpty: true,
    },
  ),
  ca_cert: p.controllerFile("the CA's certificate on the controller; made where it is missing", {
    folder: 'pki',
    default: 'pki/ca-cert.pem',
  }),
  ca_key: p.controllerFile("the CA's key on the controller, which never leaves it; made where it is missing", {
    folder: 'pki',
    default: 'pki/ca-key.pem',
  }),
  valid_days: p.integer('days for which a new certificate holds', {default: 825, min: 1, max: 3650}),
  renew_before_days: p.integer('days before its end at which it is renewed', {default: 30, min: 0}),
  owner: p.string('owner of the files; new ones belong to root'),
  group: p.string("group of the files; new ones get QEMU's group, where there is one"),
  mode: p.mode('permission bits of the certificates; new ones get 0644'),
  key_mode: p.mode('permission bits of the key; a new one gets 0640'),
};
type V = Values<typeof params>;

const dayMs = 86_400_000;
const parts = [
  {part: 'ca', name: 'ca-cert.pem'},
  {part: 'certificate', name: 'server-cert.pem'},
  {part: 'key', name: 'server-key.pem'},
] as const;
const pathOf = (v: V, name: string): string => `${v.dir === '/' ? '' : v.dir}/${name}`;
const qemuGroups = [...new Set(platforms.map((row) => row.qemuGroup))];
const groupsOf = (v: V): readonly string[] => [...(v.group === undefined ? [] : [v.group]), ...qemuGroups];
const foldersOf = (dir: string): readonly string[] => {
  const words = dir.split('/').slice(1);
  return words.map((_, i) => `/${words.slice(0, words.length - i).join('/')}`);
};

type State = {
  readonly files: readonly FileState[];
  readonly folders: readonly FileState[];
  readonly groups: readonly GroupState[];
  readonly guests: readonly RunningGuest[];
};

/** Why the present certificate does not do; undefined = it does. */
function flaw(
  v: V,
  host: Host,
  certificate: Certificate | undefined,
  key: string | Secret | undefined,
  authority: Certificate | undefined,
): string | undefined {
  if (certificate === undefined) return 'there is none';
  const left = certificate.notAfterMs - host.now.getTime();
  if (authority === undefined || !signedBy(certificate, authority)) return 'another CA has signed it';
  if (left <= 0) return 'it has expired';
  if (certificate.notBeforeMs > host.now.getTime()) return 'it is not valid yet';
  if (key === undefined || !keyMatches(certificate, key)) return 'its key is missing, or another one';
  const wanted = certificateNames(v.names);
  if (certificate.names.join(' ') !== wanted.join(' ')) return 'it holds other names';
  // A certificate ends with its CA at the latest: then a new one would not last longer.
  const capped = certificate.notAfterMs >= authority.notAfterMs - dayMs;
  return left <= v.renew_before_days * dayMs && !capped ? `it expires in ${Math.floor(left / dayMs)} days` : undefined;
}

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
const describe = (certificate: Certificate): string =>
  `${certificate.names.join(', ')}, until ${day(certificate.notAfterMs)}, by ${certificate.issuer}`;

/** The CA of the controller: there, still to be made, or unusable. */
function authorityOf(
  cert: ControllerFile,
  key: ControllerFile,
): {ca?: Certificate; canSign: boolean; problem?: Problem} {
  const wrong = (code: string, message: string, param: string, help: string): {canSign: boolean; problem: Problem} => ({
    canSign: false,
    problem: {code, message, param, help},
  });
  if (cert.type === 'directory')
    return wrong('bad-ca', `${cert.path} is a folder`, '/ca_cert', 'name the certificate file in it');
  if (key.type === 'directory') return wrong('bad-ca', `${key.path} is a folder`, '/ca_key', 'name the key file in it');
  if (cert.type === 'missing')
    return key.type === 'missing'
      ? {canSign: true}
      : wrong(
          'ca-without-certificate',
          `there is a CA key ${key.path}, but no certificate ${cert.path}: a new CA would overwrite the key`,
          '/ca_cert',
          'put the certificate back, or move the key away',
        );
  const ca = cert.bytes === undefined ? undefined : parseCertificate(cert.bytes);
  if (ca === undefined)
    return wrong('bad-ca', `${cert.path} holds no certificate that can be read`, '/ca_cert', 'a PEM file is needed');
  if (!ca.isCa)
    return wrong(
      'bad-ca',
      `${cert.path} is no CA certificate (basicConstraints CA:TRUE is missing)`,
      '/ca_cert',
      'name the CA that signs, not a certificate that it has signed',
    );
  if (key.type === 'missing') return {ca, canSign: false};
  const matches = key.bytes !== undefined && keyMatches(ca, Secret.of(textOf(key.bytes) ?? ''));
  return matches
    ? {ca, canSign: true}
    : wrong(
        'bad-ca',
        `${key.path} is not the (unencrypted) key of ${cert.path}`,
        '/ca_key',
        'the two files must belong together',
      );
}

/** A server certificate of the site's own CA, as SPICE and libvirt want it. *source*: RFC 5280; QEMU's documentation of x509 credentials. */
export default defineModule({
  name: 'x509_certificate',
  summary: "A TLS server certificate by the site's own CA: renewed in time, its key never off the host again",
  params,
  examples: [
    '- x509_certificate:\n    dir: /etc/pki/tls-example\n    names: [server.example.org, 192.0.2.7]\n    owner: root\n    group: root\n    key_mode: "0600"\n',
  ],
  check: (v) => [
    ...(v.valid_days <= v.renew_before_days
      ? [
          {
            code: 'bad-combination',
            message: `a certificate of ${v.valid_days} days that is renewed ${v.renew_before_days} days before its end is renewed in every run`,
            param: '/renew_before_days',
            help: 'less than valid_days',
          },
        ]
      : []),
    ...(v.key_mode !== undefined && /^[0-7]+$/.test(v.key_mode) && (parseInt(v.key_mode, 8) & 0o007) !== 0
      ? [
          {
            code: 'key-readable',
            message: 'everybody could use the key',
            param: '/key_mode',
            help: 'key_mode: "0640", or "0600"',
          },
        ]
      : []),
  ],
  probe: (v) =>
    all({
      files: list(parts.map(({part, name}) => file(pathOf(v, name), {content: 'always', secret: part === 'key'}))),
      folders: list(foldersOf(v.dir).map((path) => file(path))),
      groups: list(groupsOf(v).map(group)),
      guests: runningGuests(),
    }),
  plan: (v, now, host: Host) => {
    const texts: PresentText[] = [];
    for (const [i, {name}] of parts.entries()) {
      const text = presentText(pathOf(v, name), now.files[i] ?? {type: 'absent'});
      if ('kind' in text) return text;
      texts.push(text);
    }
    const problems = prerequisites(v, now);
    if (isNonEmpty(problems)) return refuseAll(problems);
    const site = authorityOf(v.ca_cert, v.ca_key);
    if (site.problem !== undefined) return refuseAll([site.problem]);

    const [caText, certText, keyText] = texts as [PresentText, PresentText, PresentText];
    const certificate = certText.text === undefined ? undefined : parseCertificate(certText.text);
    // Where the controller has no CA yet, what is on the host may be as good as it gets: it is judged by its own CA.
    const authority = site.ca ?? (caText.text === undefined ? undefined : parseCertificate(caText.text));
    const why = flaw(v, host, certificate, keyText.text, authority);
    const caDiffers = site.ca === undefined ? why !== undefined : !sameCa(site.ca, caText.text);
    const ending = authority !== undefined && authority.notAfterMs - host.now.getTime() <= v.renew_before_days * dayMs;
    const findings: Problem[] = [
      ...(authority !== undefined && ending
        ? [
            {
              code: 'ca-expiring',
              severity: 'error' as const,
              message: `the CA ${authority.subject} ends on ${day(authority.notAfterMs)}`,
              help: 'make a new CA (move the two files away), and give its certificate to all clients',
            },
          ]
        : []),
      ...(why !== undefined && /expire/.test(why)
        ? [
            {
              code: 'certificate-expiring',
              severity: 'warning' as const,
              message: `${pathOf(v, 'server-cert.pem')}: ${why}`,
              help: 'a run renews it',
            },
          ]
        : []),
    ];
    if (why !== undefined && !site.canSign)
      return refuse(
        'no-ca-key',
        `the certificate has to be made anew (${why}), and the CA's key is not here: ${v.ca_key.path}`,
        {param: '/ca_key', help: "run where the CA's key lies, or put it there"},
      );
    if (why !== undefined && site.ca !== undefined && site.ca.notAfterMs <= host.now.getTime())
      return refuse('ca-expired', `the CA in ${v.ca_cert.path} ended on ${day(site.ca.notAfterMs)}`, {
        param: '/ca_cert',
        help: 'make a new CA (move the two files away), and give its certificate to all clients',
      });

    const written = {ca: caDiffers, certificate: why !== undefined, key: why !== undefined};
    const changes: Change[] = [];
    const ops: Op[] = [];
    const missing = foldersOf(v.dir).filter((_, i) => now.folders[i]?.type === 'absent');
    for (const path of missing.toReversed()) {
      changes.push({what: path, before: undefined, after: 'directory'});
      ops.push({op: 'mkdir', path, mode: '0755', owner: 'root', group: 'root'});
    }
    if (why !== undefined) {
      changes.push({
        what: certificate === undefined ? 'certificate' : `certificate (${why})`,
        before: certificate === undefined ? undefined : describe(certificate),
        after: `${certificateNames(v.names).join(', ')}, for ${v.valid_days} days, by ${site.ca?.subject ?? 'a new CA'}`,
      });
    }
    if (caDiffers) {
      const old = caText.text === undefined ? undefined : parseCertificate(caText.text);
      changes.push({
        what: 'CA certificate',
        before:
          caText.text === undefined
            ? undefined
            : old === undefined
              ? '(cannot be read)'
              : `${old.subject}, ${old.fingerprint}`,
        after: site.ca === undefined ? '(a new CA)' : `${site.ca.subject}, ${site.ca.fingerprint}`,
      });
    }
    const team = guardingGroup(v, now, host);
    // The key first: a server that starts in between then finds a pair that does not match, never a certificate in use with no key.
    for (const i of [2, 1, 0] as const) {
      const {part, name} = parts[i];
      const path = pathOf(v, name);
      const text = texts[i]!;
      // A new key is a new secret: it does not inherit that everybody may read it.
      const open = part === 'key' && written.key && text.inode !== undefined && (text.inode.mode & 0o007) !== 0;
      const keyMode = v.key_mode ?? (open ? '0640' : undefined);
      const wanted = {owner: v.owner, group: v.group, mode: part === 'key' ? keyMode : v.mode};
      const attributes =
        text.inode === undefined ? {changes: [], ops: []} : compareAttributes(path, text.inode, wanted, `${name} `);
      changes.push(...attributes.changes);
      if (written[part]) {
        const content =
          part === 'ca' && site.ca !== undefined
            ? site.ca.pem
            : {generate: 'x509-server' as const, spec: specOf(v, host, part)};
        const fresh = {mode: part === 'key' ? '0640' : '0644', owner: 'root', group: team};
        ops.push({
          ...rewrite(path, text, content, fresh),
          ...attributeFields(wanted, text.inode?.mode ?? parseInt(fresh.mode, 8), false),
          ...(part === 'key' ? {noBackup: true as const} : {}),
        });
      } else {
        const follow = text.link ? {follow: true as const} : {};
        ops.push(...attributes.ops.map((op) => (op.op === 'chmod' || op.op === 'chown' ? {...op, ...follow} : op)));
      }
    }
    const keyBits =
      v.key_mode !== undefined && /^[0-7]+$/.test(v.key_mode) ? parseInt(v.key_mode, 8) : (keyText.inode?.mode ?? 0);
    if ((keyBits & 0o007) !== 0 && !written.key)
      findings.push({
        code: 'key-readable',
        severity: 'error',
        message: `everybody may read ${pathOf(v, 'server-key.pem')} (${octal(keyBits)})`,
        param: '/key_mode',
        help: 'key_mode: "0640"',
      });
    const renewed = why !== undefined || caDiffers;
    const changedS = renewed ? Infinity : Math.max(...texts.map((text) => text.inode?.mtimeS ?? 0));
    const users = now.guests.filter((guest) => guest.tlsDir === v.dir && guest.startedS < changedS);
    const notes = {findings, pending: powerCycle(users, 'it was started with an older certificate')};
    return changes.length === 0 ? converged(notes) : change(changes, ops, notes);
  },
  result: (v, before, after) => {
    const read = (state: State): Certificate | undefined => {
      const text = presentText(pathOf(v, 'server-cert.pem'), state.files[1] ?? {type: 'absent'});
      return 'kind' in text || text.text === undefined ? undefined : parseCertificate(text.text);
    };
    const [old, present] = [read(before), 'files' in after ? read(after) : undefined];
    return {
      dir: v.dir,
      names: certificateNames(v.names),
      not_after: present === undefined ? null : new Date(present.notAfterMs).toISOString(),
      fingerprint: present?.fingerprint ?? null,
      renewed: present === undefined ? null : present.fingerprint !== old?.fingerprint,
    };
  },
});

/** The parts of one id are made together. */
function specOf(v: V, host: Host, part: X509Spec['part']): X509Spec {
  return {
    id: `${host.name}:${v.dir}`,
    part,
    caCert: v.ca_cert.path,
    caKey: v.ca_key.path,
    names: certificateNames(v.names),
    validDays: v.valid_days,
  };
}

function sameCa(ca: Certificate, text: string | undefined): boolean {
  return text !== undefined && sha256(bytesOf(text.trim())) === sha256(bytesOf(ca.pem.trim()));
}

function prerequisites(v: V, now: State): Problem[] {
  const blocked = foldersOf(v.dir).find(
    (_, i) => !['directory', 'absent'].includes(followed(now.folders[i] ?? {type: 'absent'}).type),
  );
  return [
    ...(v.group !== undefined && !/^\d+$/.test(v.group) && now.groups[0]?.type === 'absent'
      ? [
          {
            code: 'no-group',
            message: `no group ${v.group} on this host`,
            param: '/group',
            help: 'install the package that brings it, or make it first (group)',
          },
        ]
      : []),
    ...(blocked === undefined
      ? []
      : [{code: 'not-a-directory', message: `${blocked} is not a directory`, param: '/dir'}]),
  ];
}

function guardingGroup(v: V, now: State, host: Host): string {
  const {qemuGroup} = platformOf(host.facts);
  return v.group ?? (now.groups[groupsOf(v).indexOf(qemuGroup)]?.type === 'group' ? qemuGroup : 'root');
}
