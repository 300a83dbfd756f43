// Where ours differs from real Jinja2 or Ansible on purpose. docs/template-differences.md explains each for users.

/** `ours` as the test tags values, or `{error: ''}`. */
export type Difference = {readonly ours: unknown; readonly because: string};

const refused = {error: ''};

export const differences: ReadonlyMap<string, Difference> = new Map<string, Difference>([
  ['lipsum', {ours: refused, because: 'random filler text has no place in a playbook'}],
  [
    '{% do l.append(4) %}ok',
    {ours: refused, because: 'a template never changes a variable; what it made itself it may change'},
  ],
  [
    "'$ANSIBLE_VAULT;1.1;AES256' is vault_encrypted",
    {ours: true, because: 'decrypted values are secrets, so only text in vault format is still encrypted'},
  ],
  [
    "{'text': words ~ ' ' ~ words ~ words} | pprint",
    {
      ours: `{'text': 'the quick brown fox jumps over the lazy dog the quick brown fox jumps over the lazy dogthe quick brown fox jumps over the lazy dog'}`,
      because: 'long texts are not broken over lines',
    },
  ],
]);
