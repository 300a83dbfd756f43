// Accounts and groups by name service, in three or four programs however many are asked for: the accounts, the numbers of all
// their groups, the names of these, and (as root) the shadow entries. Hosts without `getent` have no other source than files.
import {Secret} from '../base/secret.ts';
import type {AccountRead, AccountState, GroupRead, GroupState} from '../kit/reads.ts';
import {checkedReply, chunked, fragmentOf, type CompiledReads} from './read-fragment.ts';
import {singleQuoted} from './script.ts';

/** Names of accounts and groups; others cannot exist (and an option-like one must not reach `getent`). */
const possibleName = /^[A-Za-z0-9_.\\@+$ ][^:\n\0/]{0,254}$/;

type Asked = {readonly kind: 'account' | 'group'; readonly name: string};

/** Compiles account and group reads; their values are {@link AccountState} and {@link GroupState}. */
export function compileAccountReads(accounts: readonly AccountRead[], groups: readonly GroupRead[]): CompiledReads {
  const names = (reads: readonly {name: string}[]): string[] =>
    [...new Set(reads.map((read) => read.name))].filter((name) => possibleName.test(name));
  const asked: readonly Asked[] = [
    ...names(accounts).map((name) => ({kind: 'account' as const, name})),
    ...names(groups).map((name) => ({kind: 'group' as const, name})),
  ];
  const chunks = chunked(asked, (one) => one.name.length * 3 + 20);
  return {
    fragments: chunks.map((chunk) =>
      fragmentOf(script(chunk), {
        label: 'looking up accounts and groups',
        secret: chunk.some((one) => one.kind === 'account'),
      }),
    ),
    decode: (outcomes, values) => {
      const accountStates = new Map<string, AccountState>();
      const groupStates = new Map<string, GroupState>();
      for (const [at, chunk] of chunks.entries()) {
        const tables = tablesOf(new TextDecoder().decode(checkedReply(outcomes[at], 'looking up accounts').stdout));
        for (const {kind, name} of chunk) {
          if (kind === 'account') accountStates.set(name, accountOf(name, tables));
          else groupStates.set(name, groupOf(name, tables));
        }
      }
      for (const read of accounts) values.set(read, accountStates.get(read.name) ?? {type: 'absent'});
      for (const read of groups) values.set(read, groupStates.get(read.name) ?? {type: 'absent'});
    },
  };
}

/** Prints tables, each behind a line `==NAME`; no line of theirs begins like that. */
function script(chunk: readonly Asked[]): string {
  const words = (kind: Asked['kind']): string =>
    chunk
      .filter((one) => one.kind === kind)
      .map((one) => singleQuoted(one.name))
      .join(' ');
  const [accounts, groups] = [words('account'), words('group')];
  const files = `echo ==passwd; cat /etc/passwd; echo ==group; cat /etc/group; [ ! -r /etc/shadow ] || { echo ==shadow; cat /etc/shadow; }`;
  return `command -v getent >/dev/null || { ${files}; exit 0; }
set -f
nl='
'
g=
echo ==passwd
${
  accounts === ''
    ? ''
    : `p=$(getent passwd ${accounts})
printf '%s\\n' "$p"
IFS=$nl
for l in $p; do l=\${l#*:*:*:}; g="$g \${l%%:*}"; done
unset IFS
[ ! -r /etc/shadow ] || { echo ==shadow; getent shadow ${accounts}; }
echo ==initgroups
if q=$(getent initgroups ${accounts} 2>/dev/null); then
printf '%s\\n' "$q"
IFS=$nl
for l in $q; do case $l in *' '*) g="$g \${l#* }" ;; esac; done
unset IFS
else echo ==group; cat /etc/group; fi`
}
echo ==group
[ -z "$g"${groups === '' ? '' : 'x'} ] || getent group $g ${groups}
:`;
}

type Tables = ReadonlyMap<string, readonly string[]>;

function tablesOf(text: string): Tables {
  const tables = new Map<string, string[]>();
  let rows: string[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('==')) {
      rows = tables.get(line.slice(2)) ?? [];
      tables.set(line.slice(2), rows);
    } else if (line !== '') rows.push(line);
  }
  return tables;
}

/** Rows of a table whose first field is this name. A number asked for as a name may have found somebody else. */
function rowOf(tables: Tables, table: string, name: string): readonly string[] | undefined {
  return (tables.get(table) ?? []).map((row) => row.split(':')).find((fields) => fields[0] === name);
}

function accountOf(name: string, tables: Tables): AccountState {
  const row = rowOf(tables, 'passwd', name);
  if (row === undefined) return {type: 'absent'};
  const [, field = '', uid, gid, gecos = '', home = '', shell = ''] = row;
  const groupRows = (tables.get('group') ?? []).map((line) => line.split(':'));
  const nameOf = (number: string): string => groupRows.find((fields) => fields[2] === number)?.[0] ?? number;
  const numbers = (tables.get('initgroups') ?? [])
    .filter((line) => line.split(/\s+/)[0] === name)
    .flatMap((line) => line.split(/\s+/).slice(1));
  const members = groupRows.filter((fields) => fields[3]?.split(',').includes(name)).map((fields) => fields[0]!);
  const primaryGroup = nameOf(gid ?? '');
  const groups = new Set([...numbers.filter((number) => number !== '').map(nameOf), ...members]);
  groups.delete(primaryGroup);
  const shadow = rowOf(tables, 'shadow', name);
  const password = shadow?.[1] ?? (field !== 'x' && tables.has('shadow') ? field : undefined);
  const expires = shadow?.[7];
  return {
    type: 'account',
    uid: Number(uid),
    gid: Number(gid),
    gecos,
    home,
    shell,
    primaryGroup,
    groups: [primaryGroup, ...[...groups].sort()],
    ...(password === undefined ? {} : {password: Secret.of(password)}),
    ...(expires === undefined || expires === '' ? {} : {expires: Number(expires)}),
  };
}

function groupOf(name: string, tables: Tables): GroupState {
  const row = rowOf(tables, 'group', name);
  if (row === undefined) return {type: 'absent'};
  return {type: 'group', gid: Number(row[2]), members: (row[3] ?? '').split(',').filter((member) => member !== '')};
}
