import {converged, defineModule, p, rawShell, read, sh, stdoutText, type Problem, type Values} from '#kit';

const params = {
  port: p.integer('TCP port', {required: true, min: 1, max: 65535}),
  host: p.string('address to reach, as seen from the managed host', {
    default: '127.0.0.1',
    pattern: '^[A-Za-z0-9:][A-Za-z0-9:._-]*$',
    describe: 'a host name or address',
  }),
  expect: p.choice(['open', 'closed'], 'whether a connection shall come about', {default: 'open'}),
  listens_on: p.list(
    p.string('an address, or `loopback`'),
    'the only addresses on which the managed host itself may listen at this port',
    {
      default: [],
    },
  ),
  timeout: p.integer('seconds for a connection', {default: 5, min: 1, max: 120}),
  severity: p.choice(['error', 'warning'], 'how a deviation counts', {default: 'error'}),
};
type V = Values<typeof params>;

/** What a connection came to, and the addresses on which this host listens. */
type Seen = {readonly answer: 'open' | 'closed' | 'unable'; readonly listeners: readonly string[]};

/** An address of /proc/net/tcp: hexadecimal, each 32 bits in the host's own (little-endian) order. *source*: proc_net_tcp(5). */
function addressOf(hex: string): string {
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => (word.match(/../g) ?? []).reverse().map((pair) => parseInt(pair, 16)));
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.slice(0, 10).every((b) => b === 0) && bytes[10] === 255 && bytes[11] === 255)
    return bytes.slice(12).join('.');
  if (bytes.every((b) => b === 0)) return '::';
  if (bytes.slice(0, 15).every((b) => b === 0) && bytes[15] === 1) return '::1';
  const groups = Array.from({length: 8}, (_g, i) =>
    (((bytes[i * 2] ?? 0) << 8) | (bytes[i * 2 + 1] ?? 0)).toString(16),
  );
  return groups.join(':');
}

function isAllowed(address: string, allowed: readonly string[]): boolean {
  return allowed.some((one) =>
    one === 'loopback' ? address === '::1' || address.startsWith('127.') : one === address,
  );
}

/** Whether a TCP port answers, and where it listens. It changes nothing; what is not as expected is a finding. */
export default defineModule({
  name: 'port_probe',
  summary: 'Prove that a TCP port answers, or does not',
  params,
  examples: ['- port_probe:\n    port: 22\n', '- port_probe:\n    port: 20001\n    expect: closed\n'],
  probe: (v) => {
    const hex = v.port.toString(16).toUpperCase().padStart(4, '0');
    const bash = 'exec 3<>"/dev/tcp/$1/$2"';
    return read(
      sh`if command -v bash >/dev/null 2>&1; then timeout ${v.timeout} bash -c ${bash} bash ${v.host} ${v.port} 2>/dev/null && echo open || echo closed
elif command -v nc >/dev/null 2>&1; then nc -z -w ${v.timeout} ${v.host} ${v.port} >/dev/null 2>&1 && echo open || echo closed
else echo unable; fi
${rawShell(`cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -E '^ *[0-9]+: [0-9A-F]+:${hex} [0-9A-F:]+ 0A '; :`)}`,
      (reply): Seen => {
        const [answer = '', ...rows] = stdoutText(reply).split('\n');
        const listeners = rows.flatMap((row) => {
          const [, local = ''] = row.trim().split(/\s+/);
          const [hexAddress = ''] = local.split(':');
          return hexAddress === '' ? [] : [addressOf(hexAddress)];
        });
        return {
          answer: answer === 'open' || answer === 'closed' ? answer : 'unable',
          listeners: [...new Set(listeners)].sort(),
        };
      },
      {dependsOn: ['port:*', 'unit:*', 'firewall:*', `port:${v.port}`], timeoutMs: (v.timeout + 30) * 1000},
    );
  },
  plan: (v, now) => converged({findings: findings(v, now)}),
  result: (v, before) => ({
    host: v.host,
    port: v.port,
    open: before.answer === 'open',
    listeners: before.listeners,
  }),
});

function findings(v: V, now: Seen): readonly Problem[] {
  const where = `${v.host.includes(':') ? `[${v.host}]` : v.host}:${v.port}`;
  const found: Problem[] = [];
  if (now.answer === 'unable')
    found.push({
      code: 'cannot-tell',
      message: `whether ${where} answers cannot be told: this host has neither bash nor nc`,
      severity: 'warning',
    });
  else if (now.answer !== v.expect)
    found.push({
      code: v.expect === 'open' ? 'port-closed' : 'port-open',
      message: v.expect === 'open' ? `${where} does not answer` : `${where} answers, and shall not`,
      severity: v.severity,
    });
  const strange = v.listens_on.length === 0 ? [] : now.listeners.filter((address) => !isAllowed(address, v.listens_on));
  if (strange.length > 0)
    found.push({
      code: 'listens-elsewhere',
      message: `port ${v.port} listens on ${strange.join(', ')}, and shall only on ${v.listens_on.join(', ')}`,
      severity: v.severity,
    });
  return found;
}
