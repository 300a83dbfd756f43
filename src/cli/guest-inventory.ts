// `plugin: kvm_guests`: the guests of KVM hosts as an inventory. The hosts are asked over tsplay's own connections, read-only, in one exchange each.
import {error, warning} from '../base/diagnostic.ts';
import type {Diagnostic} from '../base/diagnostic.ts';
import {quote} from '../kit/shell.ts';
import type {InventoryPlugin} from '../playbook/inventory-load.ts';
import type {Become, Connection, Target} from '../remote/session.ts';

type Options = Readonly<Record<string, unknown>>;
type Said = {readonly exit: number; readonly text: string; readonly wrong: string};

/** Does some work on every host of a pattern; see `onHosts`, which is handed in because it needs inventories itself. */
export type AskHosts = (
  pattern: string,
  options: Options,
  work: (connection: Connection, become: Become | undefined, signal: AbortSignal) => Promise<Said>,
) => Promise<
  | {
      readonly answers: readonly (
        | {readonly host: string; readonly is: 'answered'; readonly value: Said}
        | {readonly host: string; readonly is: 'unreachable' | 'failed'; readonly message: string}
      )[];
      readonly set: {readonly hosts: readonly {readonly name: string; readonly target: Target}[]};
    }
  | undefined
>;

/** A guest as its host tells of it. `addresses`: IPv4 before IPv6, without those of the loop. */
export type Guest = {
  readonly name: string;
  readonly uuid: string;
  readonly state: string;
  readonly addresses: readonly string[];
};

const known = ['plugin', 'hosts', 'uri'];

/** Asks the hosts of `settings.hosts` for their guests. *errors*: `inventory-failed`, a warning for each host that does not answer. */
export async function readGuests(
  settings: Readonly<Record<string, unknown>>,
  span: NonNullable<Diagnostic['span']>,
  options: Options,
  onHosts: AskHosts,
): ReturnType<InventoryPlugin> {
  const problems: Diagnostic[] = Object.keys(settings)
    .filter((key) => !known.includes(key))
    .map((key) => error('unknown-key', `kvm_guests has no key ${key}`, {span, help: `it takes ${known.join(', ')}`}));
  const {hosts: pattern, uri = 'qemu:///system'} = settings;
  if (typeof pattern !== 'string' || typeof uri !== 'string')
    problems.push(
      error('bad-inventory', 'kvm_guests needs the pattern of its hosts', {span, help: 'hosts: kvm_hosts'}),
    );
  if (problems.length > 0 || typeof pattern !== 'string' || typeof uri !== 'string') return {data: undefined, problems};
  const done = await onHosts(
    pattern,
    {...options, limit: undefined, withoutPlugins: true},
    async (connection, become, signal) => {
      const session = await connection.session(become);
      const label = 'the guests of this host';
      const fragment = {
        shell: guestScript(uri),
        group: 0,
        onFailure: 'go-on',
        label,
        secret: false,
        timeoutMs: 60_000,
      } as const;
      const [outcome] = await session.exchange([fragment], {signal});
      if (outcome?.ran !== true) throw new Error('the only fragment of a batch was not run');
      return {
        exit: outcome.reply.exit,
        text: new TextDecoder().decode(outcome.reply.stdout),
        wrong: new TextDecoder().decode(outcome.reply.stderr),
      };
    },
  );
  if (done === undefined)
    return {
      data: undefined,
      problems: [error('inventory-failed', `the hosts ${pattern} could not be asked for their guests`, {span})],
    };
  const found: {host: string; target: Target; guests: readonly Guest[]}[] = [];
  for (const answer of done.answers) {
    const target = done.set.hosts.find(({name}) => name === answer.host)?.target;
    if (answer.is === 'answered' && answer.value.exit === 0 && target !== undefined)
      found.push({host: answer.host, target, guests: parseGuests(answer.value.text)});
    else {
      const why = answer.is === 'answered' ? (answer.value.wrong.trim().split('\n')[0] ?? '') : answer.message;
      problems.push(warning('inventory-failed', `the guests of ${answer.host} are not known: ${why}`, {span}));
    }
  }
  return {data: inventoryOf(found), problems};
}

/** Lines `guest NAME UUID STATE` and `address NAME ADDRESS`; names are in base64, for they may hold anything. Leases first, then the agent, then the ARP table. */
function guestScript(uri: string): string {
  const virsh = `virsh -q -r -c ${quote(uri)}`;
  return `ids=$(${virsh} list --all --uuid) || exit 1
for u in $ids; do
n=$(${virsh} domname "$u" | head -n 1 | base64 | tr -d '\\n')
echo "guest $u $n $(${virsh} domstate "$u" | head -n 1)"
for s in lease agent arp; do
a=$(${virsh} domifaddr "$u" --source $s 2>/dev/null | while read -r i m p a; do case $i in lo) ;; *) case $a in */*) echo "address $u \${a%/*}" ;; esac ;; esac; done)
if [ -n "$a" ]; then echo "$a"; break; fi
done
done`;
}

/** Reads what {@link guestScript} writes. */
export function parseGuests(text: string): readonly Guest[] {
  const lines = text.split('\n').map((line) => line.trim().split(' '));
  return lines
    .filter(([kind]) => kind === 'guest')
    .map(([, uuid = '', name = '', ...state]) => {
      const own = lines.flatMap(([kind, id, address]) =>
        kind === 'address' && id === uuid && address !== undefined ? [address] : [],
      );
      const usable = own.filter((address) => !/^(?:127\.|::1$|fe80:)/.test(address));
      return {
        name: Buffer.from(name, 'base64').toString('utf8').trim(),
        uuid,
        state: state.join('_').replace(/\W+/g, '_'),
        addresses: [...usable.filter((a) => !a.includes(':')), ...usable.filter((a) => a.includes(':'))],
      };
    });
}

/** The JSON of a dynamic inventory. A name that guests of several hosts bear gets the host's name behind it. */
export function inventoryOf(
  found: readonly {
    readonly host: string;
    readonly target: Pick<Target, 'address' | 'port' | 'user'>;
    readonly guests: readonly Guest[];
  }[],
): unknown {
  const groups: Record<string, {hosts: string[]}> = {kvm_guests: {hosts: []}};
  const hostvars: Record<string, Record<string, unknown>> = {};
  const names = found.flatMap(({guests}) => guests.map(({name}) => name));
  for (const {host, target, guests} of found) {
    for (const guest of guests) {
      const name = names.filter((each) => each === guest.name).length > 1 ? `${guest.name}.${host}` : guest.name;
      for (const group of ['kvm_guests', `guests_of_${host.replace(/\W/g, '_')}`, `guests_${guest.state}`])
        (groups[group] ??= {hosts: []}).hosts.push(name);
      const [address] = guest.addresses;
      const at = target.address.includes(':') ? `[${target.address}]` : target.address;
      hostvars[name] = {
        guest_domain: guest.name,
        guest_uuid: guest.uuid,
        guest_state: guest.state,
        guest_host: host,
        ...(address === undefined ? {} : {ansible_host: address}),
        ansible_ssh_common_args: `-o ProxyJump=${target.user === undefined ? '' : `${target.user}@`}${at}:${String(target.port ?? 22)}`,
      };
    }
  }
  return {...groups, _meta: {hostvars}};
}
