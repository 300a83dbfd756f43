import {
  accountExists,
  all,
  change,
  compareAttributes,
  converged,
  defineModule,
  homeFile,
  p,
  refuse,
  sha256Bytes,
  textOf,
  type FileState,
  type Problem,
  type Values,
} from '#kit';
import {
  keepOnlyKeys,
  parseAuthorizedKeys,
  parseKey,
  parseKeyOptions,
  printAuthorizedKeys,
  removeKey,
  sameKey,
  keysOf,
  setKey,
  sha256Fingerprint,
  type AuthorizedKey,
} from '#formats/authorized-keys';

const params = {
  user: p.string('the account', {required: true}),
  key: p.string('public keys, one a line', {required: true}),
  state: p.choice(['present', 'absent'], 'whether they may log in', {default: 'present'}),
  key_options: p.string('options for the keys, as in authorized_keys'),
  exclusive: p.boolean('no other keys', {default: false}),
  path: p.path("the file; default the account's `.ssh/authorized_keys`"),
  manage_dir: p.boolean('make the folder, with safe permissions', {default: true}),
  comment: p.string('comment of the keys'),
  follow: p.boolean('accepted for compatibility: links are not followed', {default: false}),
  validate_certs: p.boolean('accepted for compatibility: keys are not fetched from the network'),
  allow_lockout: p.boolean('even if the key of this very connection goes', {default: false}),
};
type V = Values<typeof params>;

function keysWanted(v: V): {keys: readonly AuthorizedKey[]; problems: readonly Problem[]} {
  const keys: AuthorizedKey[] = [];
  const problems: Problem[] = [];
  const options = v.key_options === undefined ? undefined : parseKeyOptions(v.key_options);
  if (v.key_options !== undefined && options === undefined)
    problems.push({
      code: 'bad-param',
      message: 'the options cannot be read',
      param: '/key_options',
      help: 'as in authorized_keys: restrict,from="192.0.2.1"',
    });
  for (const line of v.key
    .split('\n')
    .map((text) => text.trim())
    .filter((text) => text !== '' && !text.startsWith('#'))) {
    const key = parseKey(line);
    if (key === undefined)
      problems.push({
        code: 'bad-key',
        message: `not a public key: ${line.slice(0, 40)}…`,
        param: '/key',
        help: 'ssh-ed25519 AAAA… comment',
      });
    else keys.push({...key, ...(options === undefined ? {} : {options}), comment: v.comment ?? key.comment});
  }
  if (keys.length === 0 && problems.length === 0)
    problems.push({code: 'no-key', message: 'no public key given', param: '/key', severity: 'warning'});
  return {keys, problems};
}

/** Who may log in with which key. Foreign keys, order and comments stay. *source*: Ansible's authorized_key; sshd(8). */
export default defineModule({
  name: 'authorized_key',
  summary: 'Public keys that may log in as an account',
  params,
  examples: [
    '- authorized_key:\n    user: root\n    key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1lMMmzKXh0Q1uI1nHjp0JgZ0Y3cR8b0d9v1wJm0y7W example\n',
  ],
  check: (v) => keysWanted(v).problems,
  probe: (v) => all({exists: accountExists(v.user), store: homeFile(v.user, '.ssh/authorized_keys', v.path)}),
  plan: (v, {exists, store}, host) => {
    if (!exists || store.path === undefined)
      return v.state === 'absent'
        ? converged()
        : refuse('no-account', `no account ${v.user}`, {help: 'make it with `user` first'});
    const {path, folder, file: now} = store;
    if (!path.startsWith('/') || (v.path === undefined && store.home === '/'))
      return refuse('no-home', `${v.user} has no home directory of its own`, {
        help: 'give `path`, or the account a home',
      });
    if (v.path === undefined && store.homeState.type === 'absent' && v.state === 'present')
      return refuse('no-home', `the home ${store.home} of ${v.user} does not exist`, {
        help: 'make it first, or give `path`',
      });
    if (now.type === 'link')
      return refuse('is-link', `${path} is a symbolic link`, {help: 'give the `path` that it leads to'});
    if (now.type !== 'file' && now.type !== 'absent') return refuse('not-a-file', `${path} is a ${now.type}`);
    if (now.type === 'file' && (now.denied === true || now.content === undefined))
      return refuse('unreadable', `${path} cannot be read by this account`, {help: 'use `become: true`'});
    const present = now.type === 'file' && now.content !== undefined ? textOf(now.content) : '';
    if (present === undefined) return refuse('not-text', `${path} is not a UTF-8 text`);
    if (now.type === 'absent' && v.state === 'absent') return converged();
    if (folder.type === 'absent' && !v.manage_dir)
      return refuse('no-folder', `${folderOf(path)} does not exist`, {
        help: 'make it first, or set `manage_dir: true`',
      });
    if (folder.type !== 'absent' && folder.type !== 'directory' && folder.type !== 'link')
      return refuse('not-a-directory', `${folderOf(path)} is not a directory`);
    const {keys} = keysWanted(v);
    if (keys.length === 0 && !v.exclusive) return converged();
    const before = parseAuthorizedKeys(present);
    let after = before;
    if (v.state === 'absent') for (const key of keys) after = removeKey(after, key);
    else {
      if (v.exclusive) after = keepOnlyKeys(after, keys);
      for (const key of keys) after = setKey(after, key);
    }
    const lost = keysOf(before).filter((key) => !keysOf(after).some((k) => sameKey(k, key)));
    const fingerprint = (key: AuthorizedKey): string => sha256Fingerprint(key, sha256Bytes);
    if (
      !v.allow_lockout &&
      v.user === host.connection.user &&
      lost.some((key) => fingerprint(key) === host.connection.keySha256)
    ) {
      return refuse(
        'lockout',
        `this would remove the key that this connection logged in with (${host.connection.keySha256 ?? ''})`,
        {help: 'keep it among the keys, or set `allow_lockout: true`'},
      );
    }
    const text = printAuthorizedKeys(after);
    const group = store.homeState.type === 'directory' ? store.homeState.group : undefined;
    const owned = {owner: v.user, ...(group === undefined ? {} : {group})};
    // sshd refuses keys that others could have written. A path of the administrator's choosing keeps what he has made of it.
    const repairs = v.path === undefined ? [repair(folderOf(path), folder, v.user), repair(path, now, v.user)] : [];
    const kept = repairs.flatMap((r) => r.ops);
    const changed = text !== present || now.type === 'absent';
    return change(
      [
        ...(folder.type === 'absent' ? [{what: 'directory', before: undefined, after: folderOf(path)}] : []),
        ...(changed ? [{what: path, before: now.type === 'absent' ? undefined : present, after: text}] : []),
        ...repairs.flatMap((r) => r.changes),
      ],
      [
        ...(folder.type === 'absent' ? [{op: 'mkdir' as const, path: folderOf(path), mode: '0700', ...owned}] : []),
        ...(changed
          ? [{op: 'write' as const, path, content: text, ...(now.type === 'absent' ? {mode: '0600', ...owned} : {})}]
          : []),
        ...kept,
      ],
    );
  },
  result: (v) => ({user: v.user, state: v.state, exclusive: v.exclusive}),
});

function folderOf(path: string): string {
  return path.replace(/\/[^/]*$/, '') || '/';
}

/** What makes sshd pass over a file: another owner, or others may write. *source*: sshd_config(5), StrictModes. */
function repair(path: string, now: FileState, user: string): ReturnType<typeof compareAttributes> {
  if (now.type !== 'file' && now.type !== 'directory') return {changes: [], ops: []};
  return compareAttributes(
    path,
    now,
    {
      ...(now.owner === user || now.owner === 'root' ? {} : {owner: user}),
      ...((now.mode & 0o022) === 0 ? {} : {mode: 'go-w'}),
    },
    `${path} `,
  );
}
