import {runHere, lastLine, labFolder, runIn, shellAs, type Ended} from './lab-host.ts';
import type {Proof, Seen} from './proof.ts';
import {secretOf} from './site-secrets.ts';

const server = 'kvm1';
const client = 'client1';
const port = 20001;

/** Says hello as a SPICE client does and prints what answers, in four letters: a SPICE server says REDQ. */
const hello = `import socket, struct, sys
s = socket.create_connection(("localhost", int(sys.argv[1])), 5); s.settimeout(5)
s.sendall(b"REDQ" + struct.pack("<IIIIBBIII", 2, 2, 18, 0, 1, 0, 0, 0, 18))
print(s.recv(4).decode())`;

/** ssh as the person at client1, with the key and the Host entry that the site put there. */
function ssh(options: string): Promise<Ended> {
  return shellAs(client, 'myself', `timeout 15 ssh -o BatchMode=yes -o ClearAllForwardings=yes ${options} < /dev/null`);
}

/** An attempt is refused where it fails and says why. */
function refused(ended: Ended, reason: RegExp): Seen {
  const said = ended.stderr.split('\n').find((line) => reason.test(line));
  return {
    holds: ended.exit !== 0 && said !== undefined,
    saw: said?.trim() ?? (lastLine(ended.stderr + ended.stdout) || `exit ${ended.exit}`),
  };
}

/** Forwards as somebody else whom the server knows: the administrator's account and key of the lab. */
function asAdmin(target: string): Promise<Ended> {
  return runHere([
    ...(['ssh', '-F', 'none', '-i', `${labFolder}/id`, '-o', 'IdentitiesOnly=yes', '-o', 'BatchMode=yes'] as const),
    ...['-o', `UserKnownHostsFile=${labFolder}/known_hosts`, '-W', target, 'admin@10.77.0.11'],
  ]);
}

async function throughTheTunnel(): Promise<Seen> {
  // -f goes to the background once the forwarding stands; `exit` over the control socket takes the tunnel down again.
  const script = `ssh -f -N -M -S ~/.ssh/proof -o BatchMode=yes spice-tunnel </dev/null >/dev/null || exit 1
python3 -c '${hello}' 31001; status=$?
ssh -S ~/.ssh/proof -O exit spice-tunnel 2>/dev/null; exit $status`;
  const ended = await shellAs(client, 'myself', script);
  const saw = lastLine(ended.stdout);
  return saw === 'REDQ'
    ? {holds: true, saw: 'a SPICE server answers'}
    : {holds: false, saw: lastLine(ended.stderr) || saw};
}

async function fromElsewhere(): Promise<Seen> {
  const key = await secretOf(client, 'vault_tunnel_key');
  const command = `ssh-add -q - && exec ssh -F none -o BatchMode=yes -o UserKnownHostsFile=${labFolder}/known_hosts -W localhost:${port} uvmb@10.77.0.11`;
  return refused(await runHere(['ssh-agent', 'sh', '-c', command], key), /Permission denied/);
}

/** Whether the console is there at all on the server, so that being refused means something. */
async function listens(): Promise<boolean> {
  const {stdout} = await runIn(server, ['ss', '-Hltn', `sport = :${port}`]);
  return stdout.includes(`127.0.0.1:${port}`);
}

async function othersForward(): Promise<Seen> {
  const seen = refused(await asAdmin(`localhost:${port}`), /refused|prohibited|failed/);
  return (await listens()) ? seen : {holds: false, saw: 'the console does not listen'};
}

async function closedPort(): Promise<Seen> {
  const ended = await runIn(client, ['timeout', '5', 'bash', '-c', `exec 3<>/dev/tcp/${server}.lab/${port}`]);
  if (!(await listens())) return {holds: false, saw: 'the console does not listen'};
  return {holds: ended.exit !== 0, saw: ended.exit === 0 ? 'it answers' : 'no answer'};
}

/** What the tunnel account may do, and what nobody may. */
export function tunnelProofs(): readonly Proof[] {
  const proof = (claim: string, prove: () => Promise<Seen>): Proof => ({host: server, claim, prove});
  return [
    proof('the tunnel key forwards to the console on 20001', throughTheTunnel),
    proof('it forwards to no other port', async () =>
      refused(await ssh('-W localhost:22 spice-tunnel'), /prohibited|refused/),
    ),
    proof('it gives no command', async () => {
      const ended = await ssh('spice-tunnel id');
      const said = lastLine(ended.stdout) || lastLine(ended.stderr);
      return {holds: ended.exit !== 0 && said.includes('not available'), saw: said};
    }),
    proof('it gives no terminal', async () => refused(await ssh('-tt spice-tunnel'), /PTY allocation request failed/)),
    proof('it is worth nothing from another address', fromElsewhere),
    proof('nobody else may forward to the console', othersForward),
    proof('the port does not answer from another machine', closedPort),
  ];
}
