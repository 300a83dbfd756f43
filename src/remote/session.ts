import type {Duplex} from 'node:stream';
import type {Secret} from '../base/secret.ts';
import type {Reply} from '../kit/reads.ts';

/**
 * What transports promise the engine. The engine knows only these types; ssh, openssh and local implement them.
 */

/** How a host is reached. `address` is what is dialled, `host` the inventory's name. *units*: `timeoutMs` ms without any sign of life. */
export type Target = {
  readonly host: string;
  readonly transport: 'ssh' | 'openssh' | 'local';
  readonly address: string;
  readonly port?: number;
  readonly user?: string;
  readonly privateKeyFile?: string;
  readonly password?: Secret;
  /** passphrase of the private key, where it is encrypted */
  readonly passphrase?: Secret;
  /** further options for ssh, as `ansible_ssh_common_args` gives them; handed to `ssh -G` */
  readonly sshArgs: readonly string[];
  readonly timeoutMs: number;
};

/** Another account on the host. Becoming the login user is no become at all: leave it out. */
export type Become = {readonly method: 'sudo' | 'su' | 'doas'; readonly user: string; readonly password?: Secret};

/**
 * One piece of POSIX shell in a batch. It runs in a subshell of its own, with `stdin` (or /dev/null).
 * When it exits other than 0: `go-on` runs the next fragment, `skip-group` skips the rest of its group, `stop` skips the rest of the batch,
 * `stop-at-fence` the rest of its group, and the batch from the next fragment with `fence` on.
 */
export type Fragment = {
  readonly shell: string;
  readonly stdin?: string | Uint8Array | Secret;
  readonly group: number;
  readonly onFailure: 'go-on' | 'skip-group' | 'stop' | 'stop-at-fence';
  /** nothing from here on runs where a fragment before it failed that stops at a fence */
  readonly fence?: true;
  /** what it is, for "no answer for 60 s from …"; never holds a secret */
  readonly label: string;
  /** its output is kept out of every log */
  readonly secret: boolean;
  readonly timeoutMs: number;
};

/** What became of a fragment. `skipped`: an earlier failure kept it from running. */
export type Outcome =
  | {readonly ran: true; readonly reply: Reply; readonly durationMs: number; readonly timedOut: boolean}
  | {readonly ran: false};

/** One long-lived `/bin/sh` as one user. A batch runs whole or, when the link breaks while it is sent, not at all. */
export type Session = AsyncDisposable & {
  /** *errors*: throws {@link LinkLost} when the connection ends before all replies are there, or on the abort signal. */
  exchange(
    fragments: readonly Fragment[],
    options?: {signal?: AbortSignal; onSilence?: (label: string, silentMs: number) => void},
  ): Promise<readonly Outcome[]>;
  /** exchanges since the session stands */
  readonly roundTrips: number;
};

/** One login on one host. */
export type Connection = AsyncDisposable & {
  /** the shell as this account, started at the first call and kept; undefined = the login user */
  session(become?: Become): Promise<Session>;
  /** a TCP stream that starts on the host (`direct-tcpip`; local: a plain socket) */
  openStream(host: string, port: number): Promise<Duplex>;
  readonly login: {readonly user: string; readonly from: string; readonly keySha256?: string};
  /** which transport, and why where it was not the one asked for */
  readonly via: string;
  /** resolves with the reason when it has ended; only of transports whose connections can outlive a run */
  readonly closed?: Promise<string>;
  /** ends the shells (and with them the lock that one of them holds); the connection stays */
  readonly closeShells?: () => Promise<void>;
  /** the run needs it no more, but another one may: instead of closing it. `keepShells`: they hold nothing and have answered everything */
  readonly release?: (keepShells: boolean) => Promise<void>;
};

/** Opens connections. A second call for the same target is a fresh login (guards rely on it). */
export type Connector = {
  /** *errors*: throws {@link Unreachable} with the reason in words for people. */
  connect(target: Target, signal?: AbortSignal): Promise<Connection>;
};
