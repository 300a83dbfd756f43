// From an open stream to an authenticated SSH connection, or to an error that says what a person can do about it.
import type {Duplex} from 'node:stream';
import type {AnyAuthMethod, AuthHandlerMiddleware, Client} from 'ssh2';
import {Unreachable} from './errors.ts';
import type {HostSettings} from './host-settings.ts';
import {preferKnown, type KnownKeys} from './known-hosts.ts';
import type {Offer, Offers} from './offers.ts';
import {visible} from './visible.ts';

export type Ssh2 = typeof import('ssh2');

/** Stands in the message when client and server have no algorithm in common. */
export const NO_COMMON_ALGORITHM = 'no common algorithm';

/** Loads ssh2 (60 ms): only when a host is really dialled. */
export async function loadSsh2(): Promise<Ssh2> {
  return (await import('ssh2')).default;
}

/** What a login needs. *units*: `timeoutMs` ms without any sign of life. `refuse` says why a host key is not accepted. */
export type LoginRequest = {
  readonly socket: Duplex;
  readonly settings: HostSettings;
  readonly offers: Promise<Offers>;
  readonly known: KnownKeys;
  readonly refuse: (key: Buffer) => Unreachable | undefined;
  readonly name: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly trace: boolean;
  readonly log: (level: 2 | 3, message: string) => void;
};

/** An authenticated connection. `closed` resolves with the reason of its end. */
export type LoggedIn = {
  readonly client: Client;
  readonly keySha256?: string;
  readonly closed: Promise<string>;
  readonly end: () => void;
};

/** A handshake may take this many silences before it counts as endless (a tar pit shows signs of life for ever). */
const WHOLE_LOGIN_FACTOR = 4;
/** A host that stays silent is noticed after `timeoutMs`: this many unanswered questions. */
const KEEPALIVES = 3;

/** *errors*: throws {@link Unreachable}; the socket is destroyed then. */
export async function logIn(request: LoginRequest): Promise<LoggedIn> {
  const {socket, settings, name, timeoutMs, signal, log} = request;
  const {NodeSSH} = await import('node-ssh');
  const ssh = new NodeSSH();
  let refused: Unreachable | undefined;
  let reason = 'the host closed the connection';
  const dialogue = new AuthDialogue(request.offers, settings.user);
  const connecting = ssh.connect({
    sock: socket,
    host: settings.hostname,
    username: settings.user,
    readyTimeout: timeoutMs * WHOLE_LOGIN_FACTOR,
    keepaliveInterval: Math.max(500, Math.floor(timeoutMs / (KEEPALIVES + 1))),
    keepaliveCountMax: KEEPALIVES,
    algorithms: {serverHostKey: preferKnown(request.known, HOST_KEY_ALGORITHMS) as never},
    hostVerifier: (key: Buffer) => {
      refused = request.refuse(key);
      return refused === undefined;
    },
    authHandler: dialogue.handler,
    ...(request.trace ? {debug: (message: string) => log(3, `${name}: ${visible(message, 300)}`)} : {}),
  });
  const client = ssh.connection as Client;
  // Both at once, before anything is awaited: small packets must not wait for each other (44 ms an exchange), and a reset
  // without a listener would end the whole program.
  client.setNoDelay(true);
  client.on('error', (problem) => {
    reason = problem.message;
  });
  const closed = new Promise<string>((resolve) => client.once('close', () => resolve(reason)));
  client.on('change password', () => {
    refused = new Unreachable(
      'auth',
      `${name}: the password of ${settings.user} has expired and must be changed first`,
      `log in once by hand: ssh ${settings.user}@${settings.hostname}`,
    );
    client.destroy();
  });
  let abort: (() => void) | undefined;
  const watch = silenceWatch(socket, timeoutMs, () => {
    refused = new Unreachable(
      'timeout',
      `${name}: no answer for ${seconds(timeoutMs)}`,
      'is the host up, and is a firewall in between?',
    );
    client.destroy();
    socket.destroy();
  });
  try {
    const stopped = new Promise<never>((_, reject) => {
      abort = () => reject(new Unreachable('other', `${name}: stopped on request`));
      if (signal?.aborted === true) abort();
      signal?.addEventListener('abort', abort, {once: true});
    });
    await Promise.race([connecting, stopped, dialogue.failed]);
  } catch (problem) {
    connecting.catch(() => undefined);
    client.destroy();
    socket.destroy();
    if (refused !== undefined) throw refused;
    if (problem instanceof Unreachable) throw problem;
    throw explain(problem as Error, dialogue, await request.offers.catch(() => undefined), name, timeoutMs);
  } finally {
    watch.stop();
    if (abort !== undefined) signal?.removeEventListener('abort', abort);
  }
  const used = dialogue.current;
  log(2, `${name}: logged in as ${settings.user} with ${used?.what ?? 'nothing'}`);
  return {
    client,
    closed,
    ...(used?.keySha256 === undefined ? {} : {keySha256: used.keySha256}),
    end: () => {
      reason = 'closed by us';
      client.end();
    },
  };
}

/** Types that ssh2 verifies, in the order of OpenSSH's preference. */
const HOST_KEY_ALGORITHMS = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
  'ssh-rsa',
] as const;

/** Which host key types {@link logIn} can deal with. */
export const HOST_KEY_TYPES: ReadonlySet<string> = new Set(HOST_KEY_ALGORITHMS);

/** Answers the server's question "what else have you got?", and remembers what was said. */
class AuthDialogue {
  readonly #offers: Promise<Offers>;
  readonly #user: string;
  readonly tried: Offer[] = [];
  /** methods that the server named last; undefined until it has refused something */
  accepts: readonly string[] | undefined;
  current: Offer | undefined;
  readonly failed: Promise<never>;
  #fail: (problem: unknown) => void = () => undefined;

  constructor(offers: Promise<Offers>, user: string) {
    this.#offers = offers;
    this.#user = user;
    this.failed = new Promise<never>((_, reject) => (this.#fail = reject));
    this.failed.catch(() => undefined);
  }

  readonly handler: AuthHandlerMiddleware = (methods: readonly string[] | null, _partial, next) => {
    if (methods !== null) this.accepts = methods;
    this.#offers.then(
      ({offers}) => {
        const offer = offers.find((o) => !this.tried.includes(o) && this.#welcome(o));
        if (offer === undefined && this.accepts === undefined) {
          // Nothing to offer at all: ask at least what would have been welcome.
          next({type: 'none', username: this.#user});
          return;
        }
        this.current = offer;
        if (offer !== undefined) this.tried.push(offer);
        (next as (auth: AnyAuthMethod | false) => void)(offer?.auth ?? false);
      },
      (problem: unknown) => this.#fail(problem),
    );
  };

  /** A wrong password must not be sent twice by two methods: accounts are locked for that. */
  #welcome(offer: Offer): boolean {
    if (offer.method === 'keyboard-interactive' && (this.accepts === undefined || this.accepts.includes('password')))
      return false;
    return this.accepts?.includes(offer.method) ?? true;
  }
}

function explain(
  problem: Error & {level?: string; code?: string | number},
  dialogue: AuthDialogue,
  offers: Offers | undefined,
  name: string,
  timeoutMs: number,
): Unreachable {
  const text = visible(problem.message, 300);
  switch (problem.code) {
    case 'ECONNREFUSED':
      return new Unreachable('refused', `${name}: connection refused`, 'is sshd running there, and is the port right?');
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_NONAME':
    case 'ENODATA':
      return new Unreachable(
        'no-such-host',
        `${name}: the name cannot be resolved`,
        'set ansible_host to an address, or correct the name',
      );
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EHOSTDOWN':
      return new Unreachable('other', `${name}: there is no way to it from here (${problem.code})`);
    case 'ETIMEDOUT':
      if (problem.level === 'client-socket')
        return new Unreachable('timeout', `${name}: no answer`, 'is the host up, and is a firewall in between?');
      break;
    default:
      break;
  }
  const about = dialogue.tried.length > 0 || dialogue.accepts !== undefined;
  if (problem.level === 'client-authentication' || (about && /authentication fail/i.test(text))) {
    return authFailure(text, dialogue, offers, name);
  }
  if (problem.level === 'client-timeout')
    return new Unreachable('timeout', `${name}: no login within ${seconds(timeoutMs * WHOLE_LOGIN_FACTOR)}`);
  if (/no matching/i.test(text)) {
    return new Unreachable(
      'protocol',
      `${name}: ${NO_COMMON_ALGORITHM}: ${text}`,
      'set "connection: openssh" for this host: the system ssh knows more of them',
    );
  }
  if (/before handshake|ECONNRESET|No response from server/i.test(`${text} ${problem.code ?? ''}`)) {
    return about
      ? new Unreachable(
          'auth',
          `${name}: the host closed the connection during the login${triedText(dialogue, offers)}`,
        )
      : new Unreachable(
          'protocol',
          `${name}: something accepts connections there, but closes them before an SSH greeting`,
          'sshd may be overloaded (MaxStartups), still starting, or it bans this address; or it is no SSH port',
        );
  }
  return new Unreachable('protocol', `${name}: ${text}`);
}

function authFailure(text: string, dialogue: AuthDialogue, offers: Offers | undefined, name: string): Unreachable {
  const tooMany = /too many/i.test(text);
  const nothing = dialogue.tried.length === 0;
  const help = tooMany
    ? 'too many keys were offered: name one (ansible_ssh_private_key_file) or set IdentitiesOnly in ~/.ssh/config'
    : nothing
      ? 'set ansible_ssh_private_key_file, load a key into an agent, or set ansible_password (from a vault)'
      : dialogue.tried.every(({method}) => method !== 'publickey')
        ? 'is the password right, and may the account log in?'
        : 'is the public key in authorized_keys of that account, and may the account log in?';
  return new Unreachable('auth', `${name}: login refused${triedText(dialogue, offers)}`, help);
}

function triedText(dialogue: AuthDialogue, offers: Offers | undefined): string {
  const tried =
    dialogue.tried.length === 0 ? 'nothing to offer' : `tried ${dialogue.tried.map(({what}) => what).join(', ')}`;
  const accepts =
    dialogue.accepts === undefined
      ? ''
      : `; the host accepts ${dialogue.accepts.map((m) => visible(m, 40)).join(', ') || 'nothing more'}`;
  const notes = offers === undefined || offers.notes.length === 0 ? '' : `; ${offers.notes.join('; ')}`;
  return ` (${tried}${accepts}${notes})`;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}

/** Calls back when nothing has come in for so long. */
function silenceWatch(socket: Duplex, timeoutMs: number, onSilence: () => void): {stop: () => void} {
  const timer = setTimeout(onSilence, timeoutMs);
  const refresh = (): void => void timer.refresh();
  // A second listener does not set a paused stream flowing: ssh2 decides when that happens.
  socket.on('data', refresh).on('connect', refresh);
  return {
    stop: () => {
      clearTimeout(timer);
      socket.off('data', refresh).off('connect', refresh);
    },
  };
}
