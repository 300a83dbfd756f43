import {
  all,
  change,
  compareAttributes,
  defineModule,
  fileDiff,
  homeFile,
  list,
  p,
  parseCertificate,
  refuse,
  textOf,
  type Certificate,
  type Change,
  type ControllerFile,
  type HomeFile,
  type Host,
  type Op,
  type Plan,
  type Values,
} from '#kit';

const consoleParam = p.object(
  {
    name: p.string('the file: NAME.vv', {
      required: true,
      pattern: '^[A-Za-z0-9_][A-Za-z0-9_.@+-]*$',
      describe: 'a file name without blanks',
    }),
    host: p.string('the server, by a name that its certificate holds', {required: true}),
    tls_port: p.integer('its TLS port', {min: 1, max: 65535}),
    port: p.integer('its port without TLS, such as the local end of a tunnel', {min: 1, max: 65535}),
    username: p.string('who logs in; the password is asked for'),
    title: p.string('title of the window'),
    state: p.choice(['present', 'absent'], 'there or not', {default: 'present'}),
  },
  'one console',
);

const params = {
  user: p.string('the account whose SPICE clients are meant', {required: true}),
  ca_cert: p.controllerFile("the CA's certificate on the controller", {folder: 'pki', default: 'pki/ca-cert.pem'}),
  ca_key: p.controllerFile("the CA's key on the controller: made with the certificate where both are missing", {
    folder: 'pki',
    default: 'pki/ca-key.pem',
  }),
  consoles: p.list(consoleParam, 'files that `remote-viewer` opens', {default: []}),
  folder: p.string('where they go, below the home folder', {
    default: 'consoles',
    pattern: '^[A-Za-z0-9_][A-Za-z0-9_./ -]*$',
    describe: 'a folder below the home folder',
  }),
};
type V = Values<typeof params>;
type Console = V['consoles'][number];

/** Where remote-viewer and the other SPICE clients look when nobody says otherwise. *source*: spice-gtk, spice_set_session_option. */
const truststore = '.spicec/spice_truststore.pem';

/** *source*: remote-viewer(1), "CONNECTION FILE". */
function viewerFile(one: Console): string {
  const settings: readonly (readonly [string, string | number | undefined])[] = [
    ['type', 'spice'],
    ['title', one.title],
    ['host', one.host],
    ['port', one.port],
    ['tls-port', one.tls_port],
    ['username', one.username],
    ['secure-channels', one.port === undefined ? 'all' : undefined],
    ['delete-this-file', 0],
  ];
  const lines = settings.flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}`]));
  return `[virt-viewer]\n${lines.join('\n')}\n`;
}

/** The certificate that clients shall trust: the controller's, or undefined where it is still to be made. */
function authority(file: ControllerFile): Certificate | undefined | Plan {
  if (file.type === 'missing') return undefined;
  const found = file.type === 'file' && file.bytes !== undefined ? parseCertificate(file.bytes) : undefined;
  return found?.isCa === true
    ? found
    : refuse('bad-ca', `${file.path} holds no CA certificate`, {param: '/ca_cert', help: 'a PEM file is needed'});
}

type Step = {readonly changes: readonly Change[]; readonly ops: readonly Op[]; readonly refusal?: Plan};

/** The folder of a file, made or put right: it belongs to the account. */
function folderOf({path = '', folder}: HomeFile, owner: string, group: string, mode: string): Step {
  const place = path.slice(0, path.lastIndexOf('/'));
  if (folder.type === 'absent')
    return {
      changes: [{what: place, before: undefined, after: 'directory'}],
      ops: [{op: 'mkdir', path: place, mode, owner, group}],
    };
  return folder.type === 'directory'
    ? compareAttributes(place, folder, {owner}, `${place} `)
    : {changes: [], ops: [], refusal: refuse('not-a-directory', `${place} is not a folder`)};
}

/** The truststore. A CA that does not exist yet is made when this is applied; where one lies on the host already, that is as good as it gets. */
function trust(v: V, host: Host, place: HomeFile, ca: Certificate | undefined, owner: string, group: string): Step {
  const path = place.path ?? '';
  const wanted = {path, mode: '0644', owner, group};
  const present =
    place.file.type === 'file' && place.file.content !== undefined ? textOf(place.file.content) : undefined;
  if (ca !== undefined) return named(fileDiff({...wanted, content: ca.pem}, place.file), path);
  if (present !== undefined && parseCertificate(present)?.isCa === true)
    return named(fileDiff({...wanted, content: present}, place.file), path);
  const spec = {
    id: `${host.name}:${path}`,
    part: 'ca' as const,
    caCert: v.ca_cert.path,
    caKey: v.ca_key.path,
    names: [],
    validDays: 0,
  };
  return {
    changes: [{what: path, before: present, after: '(a new CA)'}],
    ops: [{op: 'write', ...wanted, content: {generate: 'x509-server', spec}}],
  };
}

/** Several files in one task: a change says which one it is; of a new file the content says enough. */
function named(step: Step, path: string): Step {
  const [content] = step.changes.filter((one) => one.what === 'content');
  const changes =
    content?.before === undefined && content !== undefined
      ? [{...content, what: path}]
      : step.changes.map((one) => ({...one, what: `${path} ${one.what}`}));
  return {...step, changes};
}

/** What the account's SPICE clients need: the CA they trust, and a file for every console. *source*: spice-gtk; remote-viewer(1). */
export default defineModule({
  name: 'spice_client',
  summary: 'SPICE clients of an account: the CA they trust, a file for every console',
  params,
  examples: [
    '- spice_client:\n    user: admin\n    consoles:\n      - {name: debianx, host: kvm1.lab, tls_port: 20002, username: myself}\n',
  ],
  check: (v) => [
    ...(v.folder.split('/').includes('..')
      ? [{code: 'bad-param', message: 'the folder leads out of the home folder', param: '/folder'}]
      : []),
    ...v.consoles.flatMap((one, i) =>
      one.tls_port === undefined && one.port === undefined && one.state === 'present'
        ? [
            {
              code: 'missing-param',
              message: `console ${one.name} has no port`,
              param: `/consoles/${i}`,
              help: 'tls_port: 20002',
            },
          ]
        : [],
    ),
  ],
  probe: (v) =>
    all({
      trusted: homeFile(v.user, truststore),
      files: list(v.consoles.map((one) => homeFile(v.user, `${v.folder}/${one.name}.vv`))),
    }),
  plan: (v, {trusted, files}, host) => {
    const {homeState} = trusted;
    if (trusted.path === undefined || homeState.type !== 'directory')
      return refuse('no-account', `there is no account ${v.user} with a home folder`, {
        param: '/user',
        help: 'make it with `user` first',
      });
    const ca = authority(v.ca_cert);
    if (ca !== undefined && 'kind' in ca) return ca;
    if (ca === undefined && v.ca_key.type !== 'missing')
      return refuse('ca-without-certificate', `there is a CA key ${v.ca_key.path}, but no certificate beside it`, {
        param: '/ca_cert',
        help: 'put the certificate back, or move the key away',
      });
    const {group} = homeState;
    const steps: Step[] = [folderOf(trusted, v.user, group, '0700'), trust(v, host, trusted, ca, v.user, group)];
    const first = files[0];
    if (first !== undefined && v.consoles.some((one) => one.state === 'present'))
      steps.push(folderOf(first, v.user, group, '0755'));
    for (const [i, one] of v.consoles.entries()) {
      const place = files[i];
      const path = place?.path ?? '';
      if (place === undefined) continue;
      if (one.state === 'present') {
        const wanted = {path, content: viewerFile(one), mode: '0644', owner: v.user, group};
        steps.push(named(fileDiff(wanted, place.file), path));
      } else if (place.file.type !== 'absent')
        steps.push({changes: [{what: path, before: 'present', after: undefined}], ops: [{op: 'remove', path}]});
    }
    const stopped = steps.find(({refusal}) => refusal !== undefined)?.refusal;
    return (
      stopped ??
      change(
        steps.flatMap(({changes}) => changes),
        steps.flatMap(({ops}) => ops),
      )
    );
  },
});
