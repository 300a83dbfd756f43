import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {lastLine, runIn, shellAs} from './lab-host.ts';
import type {Proof, Seen} from './proof.ts';
import {secretOf} from './site-secrets.ts';

const client = 'client1';
const strangerCa = '/tmp/stranger-ca.pem';

type Attempt = {
  readonly server: string;
  readonly user: string;
  /** what is put behind the right password */
  readonly typed?: string;
  /** spoken without TLS to the only port there is */
  readonly plain?: true;
  /** a CA file in place of the one that the site put where clients look */
  readonly ca?: string;
};

/** Opens a console with the real client library, as the person at client1 would. Gives what came of it: `display` is a picture. */
async function open(attempt: Attempt): Promise<{readonly result: string; readonly detail: string}> {
  const options = [
    attempt.plain === true ? '--port 20002' : '--tls 20002',
    `--ca ${attempt.ca ?? '~/.spicec/spice_truststore.pem'}`,
    `--user '${attempt.user}' --password-stdin`,
  ];
  const probe = `/usr/local/lib/tsplay-lab/spice-probe.py ${attempt.server}.lab ${options.join(' ')}`;
  const password = (await secretOf(attempt.server, 'vault_spice_myself')) + (attempt.typed ?? '');
  const ended = await shellAs(client, 'myself', `python3 ${probe}`, `${password}\n`);
  try {
    const said = JSON.parse(lastLine(ended.stdout)) as {result: string; width?: number; height?: number};
    return {result: said.result, detail: said.width === undefined ? '' : ` ${said.width}x${said.height ?? 0}`};
  } catch {
    return {result: 'no answer from the client', detail: `: ${lastLine(ended.stderr)}`};
  }
}

async function expects(wanted: string, attempt: Attempt): Promise<Seen> {
  const {result, detail} = await open(attempt);
  return {holds: result === wanted, saw: (result === 'display' ? 'picture' : result) + detail};
}

async function withStrangerCa(use: () => Promise<Seen>): Promise<Seen> {
  const pem = await readFile(path.join(import.meta.dirname, 'stranger-ca.pem'), 'utf8');
  await runIn(client, ['sh', '-c', `cat > ${strangerCa} && chmod 644 ${strangerCa}`], pem);
  try {
    return await use();
  } finally {
    await runIn(client, ['rm', '-f', strangerCa]);
  }
}

/** What a SPICE client meets at a server of the site. */
export function spiceProofs(server: 'kvm1' | 'kvm2'): readonly Proof[] {
  const right = {server, user: 'myself'};
  const proof = (claim: string, prove: () => Promise<Seen>): Proof => ({host: server, claim, prove});
  const ofRealm =
    server === 'kvm1'
      ? [
          proof('another realm is refused', () => expects('error-auth', {...right, user: 'myself@elsewhere.lab'})),
          proof('the realm may be named', () => expects('display', {...right, user: 'myself@kvm1.lab'})),
        ]
      : [];
  return [
    proof('right password over TLS: a picture of debianx', () => expects('display', right)),
    proof('wrong password is refused', () => expects('error-auth', {...right, typed: 'x'})),
    proof('unknown user is refused', () => expects('error-auth', {...right, user: 'somebody'})),
    ...ofRealm,
    proof('no TLS: no conversation', () => expects('error-link', {...right, plain: true})),
    proof('the client refuses a server of an unknown CA', () =>
      withStrangerCa(() => expects('error-tls', {...right, ca: strangerCa})),
    ),
  ];
}
