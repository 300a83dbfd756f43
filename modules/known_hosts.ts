import {
  all,
  change,
  converged,
  defineModule,
  file,
  hashedHostName,
  homeFile,
  map,
  p,
  refuse,
  sha256Bytes,
  textOf,
  type FileState,
  type HomeFile,
  type Probe,
  type Values,
} from '#kit';
import {
  parseHostKey,
  parseHostKeys,
  printHostKeys,
  removeHostKey,
  setHostKey,
  type HostKeys,
} from '#formats/known-hosts';

const params = {
  name: p.string('the host, as ssh is told it; `[name]:port` for another port than 22', {
    required: true,
    aliases: ['host'],
    pattern: '^[^\\s,*?!|@#][^\\s,*?!|]*$',
    describe: 'a host name or address',
  }),
  key: p.string('its public keys, one a line, as ssh-keyscan prints them'),
  state: p.choice(['present', 'absent'], 'whether the host is known by them', {default: 'present'}),
  path: p.path("the file; default `.ssh/known_hosts` of the account, `/etc/ssh/ssh_known_hosts` is everybody's"),
  hash_host: p.boolean('hide the name of a new entry', {default: false}),
};
type V = Values<typeof params>;
type Key = {readonly type: string; readonly blob: string};

function keysOf(v: V): {readonly keys: readonly Key[]; readonly wrong: string | undefined} {
  const lines = (v.key ?? '').split('\n').filter((line) => line.trim() !== '' && !line.trim().startsWith('#'));
  const keys = lines.map(parseHostKey);
  const wrong = lines.find((_line, i) => keys[i] === undefined);
  return {keys: keys.filter((key) => key !== undefined), wrong};
}

/** Where the file is, with the folder above it. */
function store(path: string | undefined): Probe<HomeFile> {
  if (path === undefined) return homeFile(undefined, '.ssh/known_hosts');
  const folder = path.replace(/\/[^/]*$/, '') || '/';
  return map(all({file: file(path, {content: 'always'}), folder: file(folder)}), (state) => ({
    path,
    home: '',
    homeState: {type: 'absent'},
    ...state,
  }));
}

/** Public host keys that ssh trusts. Lines of other hosts stay. *source*: Ansible's known_hosts; sshd(8). */
export default defineModule({
  name: 'known_hosts',
  summary: 'Host keys that ssh trusts',
  params,
  examples: [
    '- known_hosts:\n    path: /etc/ssh/ssh_known_hosts\n    name: git.example.test\n    key: git.example.test ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1lMMmzKXh0Q1uI1nHjp0JgZ0Y3cR8b0d9v1wJm0y7W\n',
    '- known_hosts:\n    path: /etc/ssh/ssh_known_hosts\n    name: git.example.test\n    state: absent\n',
  ],
  check: (v) => {
    const {keys, wrong} = keysOf(v);
    return [
      ...(wrong === undefined
        ? []
        : [
            {
              code: 'bad-key',
              message: `not a public key: ${wrong.slice(0, 40)}`,
              param: '/key',
              help: 'NAME ssh-ed25519 AAAA…, as ssh-keyscan prints it',
            },
          ]),
      ...(v.state === 'present' && keys.length === 0 && wrong === undefined
        ? [{code: 'missing-param', message: '`key` is needed with state present'}]
        : []),
    ];
  },
  probe: (v) => store(v.path),
  plan: (v, {path, home, folder, homeState, file: now}) => {
    if (path === undefined || !path.startsWith('/'))
      return refuse('no-home', 'the account has no home directory', {help: 'give `path`'});
    const seen: FileState = now.type === 'link' ? now.followed : now;
    if (now.type === 'link' && seen.type === 'absent') return refuse('is-link', `${path} is a symbolic link`);
    if (seen.type !== 'file' && seen.type !== 'absent') return refuse('not-a-file', `${path} is a ${seen.type}`);
    if (seen.type === 'file' && (seen.denied === true || seen.content === undefined))
      return refuse('unreadable', `${path} cannot be read by this account`);
    const before = seen.type === 'file' && seen.content !== undefined ? textOf(seen.content) : '';
    if (before === undefined) return refuse('not-text', `${path} is not a UTF-8 text`);
    const parsed = parseHostKeys(before);
    const {keys} = keysOf(v);
    const after = v.state === 'absent' ? taken(parsed, v, keys) : keys.reduce((f, key) => given(f, v, key), parsed);
    const text = printHostKeys(after);
    if (text === before) return converged();
    const parent = path.replace(/\/[^/]*$/, '') || '/';
    if (folder.type === 'absent' && (home === '' || homeState.type !== 'directory'))
      return refuse('no-folder', `${parent} does not exist`, {help: 'make it first: `file` with `state: directory`'});
    const owned = homeState.type === 'directory' ? {owner: homeState.owner, group: homeState.group} : {};
    return change(
      [{what: path, before: seen.type === 'absent' ? undefined : before, after: text === '' ? '(empty)' : text}],
      [
        ...(folder.type === 'absent' ? [{op: 'mkdir' as const, path: parent, mode: '0700', ...owned}] : []),
        {
          op: 'write',
          path,
          content: text,
          ...(seen.type === 'absent' ? {mode: v.path === undefined ? '0600' : '0644', ...owned} : {}),
          ...(now.type === 'link' ? {follow: true as const} : {}),
        },
      ],
    );
  },
  result: (v) => ({name: v.name, state: v.state}),
});

function taken(file: HostKeys, v: V, keys: readonly Key[]): HostKeys {
  const name = v.name.toLowerCase();
  if (keys.length === 0) return removeHostKey(file, name, hashedHostName);
  return keys.reduce((f, key) => removeHostKey(f, name, hashedHostName, key), file);
}

/** The salt follows from the key: a plan gives the same file each time, and every host another salt. */
function given(file: HostKeys, v: V, key: Key): HostKeys {
  const salt = Buffer.from(sha256Bytes(new TextEncoder().encode(`${v.name} ${key.blob}`)).slice(0, 20)).toString(
    'base64',
  );
  return setHostKey(file, v.name.toLowerCase(), key, hashedHostName, v.hash_host ? salt : undefined);
}
