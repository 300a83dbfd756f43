import {
  account,
  all,
  change,
  converged,
  defineModule,
  p,
  read,
  refuse,
  sh,
  sha256Bytes,
  stdoutText,
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
  follow: p.boolean('accepted for compatibility', {default: false}),
  validate_certs: p.boolean('accepted for compatibility'),
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
    problems.push({code: 'bad-key', message: 'no public key given', param: '/key'});
  return {keys, problems};
}

/** The account's file with what stands around it: home and folder are known only on the host, so they are read in one fragment. */
function keyFile(user: string, path: string | undefined) {
  const fragment = sh`u=${user}; home=$( (getent passwd "$u" || grep "^$u:" /etc/passwd) 2>/dev/null | head -n 1 | cut -d: -f6); f=${path ?? ''}; [ -n "$f" ] || f="$home/.ssh/authorized_keys"; d=$(dirname "$f"); printf '%s\n' "$f"; stat -c '%U:%a' "$d" 2>/dev/null || echo none; if [ -e "$f" ]; then stat -c '%U:%a' "$f"; cat "$f"; else echo none; fi`;
  return read(
    fragment,
    (reply) => {
      const [file = '', folder = 'none', own = 'none', ...rest] = stdoutText(reply).split('\n');
      return {file, folder, own, text: own === 'none' ? '' : rest.join('\n'), readable: reply.exit === 0};
    },
    {
      dependsOn: [
        `account:${user}`,
        ...(path === undefined
          ? [`tree:/home` as const, 'tree:/root' as const, 'tree:/var/lib' as const]
          : [`file:${path}` as const]),
      ],
    },
  );
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
  probe: (v) => all({owner: account(v.user), store: keyFile(v.user, v.path)}),
  plan: (v, {owner, store}, host) => {
    if (owner.type === 'absent')
      return refuse('no-account', `no account ${v.user}`, {help: 'make it with `user` first'});
    if (!store.readable)
      return refuse('unreadable', `${store.file} cannot be read by this account`, {help: 'use `become: true`'});
    if (!store.file.startsWith('/'))
      return refuse('no-home', `${v.user} has no home directory`, {help: 'give `path`, or the account a home'});
    const {keys} = keysWanted(v);
    const before = parseAuthorizedKeys(store.text);
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
    const folder = store.file.replace(/\/[^/]*$/, '') || '/';
    const group = owner.primaryGroup;
    const changes =
      text === store.text
        ? []
        : [{what: store.file, before: store.own === 'none' ? undefined : store.text, after: text}];
    if (changes.length === 0) return converged();
    return change(changes, [
      ...(store.folder === 'none' && v.manage_dir
        ? [{op: 'mkdir' as const, path: folder, mode: '0700', owner: v.user, group}]
        : []),
      {
        op: 'write',
        path: store.file,
        content: text,
        ...(store.own === 'none' ? {mode: '0600', owner: v.user, group} : {}),
      },
    ]);
  },
  result: (v) => ({user: v.user, state: v.state, exclusive: v.exclusive}),
});
