// One long-lived `/bin/sh` on a host, fed over its stdin: every exchange is one batch in, framed replies out.
import {Secret} from '../base/secret.ts';
import {BrokenFraming, LinkLost, Unreachable} from './errors.ts';
import {MarkReader} from './framing.ts';
import type {Ambient, ShellLink} from './link.ts';
import {BatchProgress} from './progress.ts';
import {reapScript} from './reap.ts';
import {batchScript, inBlocks, preludeScript} from './script.ts';
import type {Fragment, Outcome, Session} from './session.ts';
import {visible} from './visible.ts';
import {writeAll} from './write-all.ts';

type ExchangeOptions = Parameters<Session['exchange']>[1];

/** What a session is made of. *units*: ms; `readyMs` for the shell to answer its first line. */
export type ShellOptions = {
  readonly link: ShellLink;
  readonly ambient: Ambient;
  /** who and where, for messages: `root@kvm1` */
  readonly name: string;
  readonly readyMs: number;
  /** after how much silence the caller is told what is awaited; default a minute */
  readonly silenceMs?: number;
  /** shell text that runs when the shell ends, however it ends */
  readonly atExit: string;
  /** a second shell as the same account, to end a fragment whose time is up */
  readonly sidekick?: () => Promise<Session>;
  readonly log?: (message: string) => void;
};

/** *units*: ms. A fragment that is being ended gets this long before the link is given up. */
const REAP_GRACE_MS = 20_000;

/** How long an abort waits for what runs on the host to end. */
const STOP_GRACE_MS = 5000;
/** *units*: ms for a host to read a whole batch, before the clock of its first fragment starts. */
const BEGIN_MS = 120_000;
const SILENCE_MS = 60_000;
/** *units*: bytes of a batch from which it matters how a shell reads. */
const LARGE_BYTES = 32 * 1024;
const NOISE_SHOWN_BYTES = 2000;

type Sink = (stream: 'stdout' | 'stderr', chunk: Buffer) => void;
type Ready = {readonly pid: number; readonly bash: boolean; readonly from: string};

/** A {@link Session} over any three streams that lead to a `/bin/sh`. */
export class ShellSession implements Session {
  readonly #options: ShellOptions;
  /** the shell's pid and the address it sees us come from; rejects with {@link Unreachable} when there is no usable shell */
  readonly ready: Promise<Ready>;
  #roundTrips = 0;
  #queue: Promise<unknown> = Promise.resolve();
  #ended: string | undefined;
  /** who listens: the first line's reply and the first batch's may arrive in one chunk, so both hear everything */
  readonly #sinks = new Set<Sink>();

  constructor(options: ShellOptions) {
    this.#options = options;
    const {link} = options;
    void link.closed.then((reason) => (this.#ended ??= reason));
    link.stdout.on('data', (chunk: Buffer) => this.#hear('stdout', chunk));
    link.stderr.on('data', (chunk: Buffer) => this.#hear('stderr', chunk));
    link.stdin.on('error', () => undefined);
    this.ready = this.#start();
    this.ready.catch(() => undefined);
  }

  get roundTrips(): number {
    return this.#roundTrips;
  }

  exchange(fragments: readonly Fragment[], options: ExchangeOptions = {}): Promise<readonly Outcome[]> {
    const turn = this.#queue.then(() => this.#exchange(fragments, options));
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const {link} = this.#options;
    if (this.#ended !== undefined) return;
    link.stdin.end();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, 2000)));
    await Promise.race([link.closed, late]);
    clearTimeout(timer);
    link.close();
  }

  /** What runs on the host comes to its end; the shell ends when it finds that nobody listens. */
  #close(why: string): void {
    this.#ended ??= why;
    this.#options.link.close();
  }

  #hear(stream: 'stdout' | 'stderr', chunk: Buffer): void {
    for (const sink of [...this.#sinks]) sink(stream, chunk);
  }

  async #start(): Promise<Ready> {
    const {link, ambient, name, atExit, readyMs} = this.#options;
    const nonce = ambient.nonce();
    const reader = new MarkReader(nonce);
    let complaint = '';
    let timer: NodeJS.Timeout | undefined;
    let sink: Sink | undefined;
    try {
      return await new Promise<Ready>((resolve, reject) => {
        const fail = (why: string): void => {
          const noise = visible(Buffer.concat([reader.rest(), Buffer.from(complaint)]), NOISE_SHOWN_BYTES);
          const said = noise === '' ? '' : `; it printed: ${noise}`;
          reject(
            new Unreachable(
              'no-shell',
              `${name}: no usable /bin/sh: ${why}${said}`,
              'the account needs a login shell that runs commands (not nologin, not a forced command), and /bin/sh with a built-in printf',
            ),
          );
        };
        sink = (stream, chunk) => {
          if (stream === 'stderr') {
            complaint = (complaint + chunk.toString('latin1')).slice(-NOISE_SHOWN_BYTES);
            return;
          }
          const [mark] = reader.push(chunk);
          const [kind, pid, bash, ...from] = mark?.fields ?? [];
          if (kind === 'r') resolve({pid: Number(pid), bash: bash === 'bash', from: from.join(':')});
          else if (reader.rest().includes(`${nonce}:n`)) fail('its printf is not built in');
        };
        timer = setTimeout(() => {
          fail(`no answer for ${Math.round(readyMs / 1000)} s`);
          this.#close('it never answered');
        }, readyMs);
        void link.closed.then((why) => {
          if (link.lost()) reject(new LinkLost(`${name}: connection lost: ${why}`, 'the start of the shell'));
          else fail(why);
        });
        this.#sinks.add(sink);
        link.stdin.write(preludeScript(nonce, atExit));
      });
    } finally {
      clearTimeout(timer);
      if (sink !== undefined) this.#sinks.delete(sink);
    }
  }

  async #exchange(fragments: readonly Fragment[], options: NonNullable<ExchangeOptions>): Promise<readonly Outcome[]> {
    const {link, ambient, name} = this.#options;
    const label = fragments[0]?.label ?? 'an empty batch';
    const lost = (why: string, during: string): LinkLost =>
      new LinkLost(`${name}: connection lost during "${during}": ${why}`, during);
    const stopIfAborted = (): void => {
      if (options.signal?.aborted === true) throw lost('stopped on request', label);
    };
    stopIfAborted();
    const nonce = ambient.nonce();
    const progress = new BatchProgress(fragments, nonce, ambient.nowMs());
    let text: Buffer = Buffer.from(batchScript(fragments, nonce));
    // Whatever is on the other side gets no secret before it has proved to be our shell; anything else need not wait for that.
    const early = !fragments.some((fragment) => fragment.stdin instanceof Secret);
    if (!early || text.length > LARGE_BYTES) {
      const {bash} = await this.ready;
      if (bash && text.length > LARGE_BYTES) text = inBlocks(text);
    }
    stopIfAborted();
    if (this.#ended !== undefined) {
      await this.ready;
      throw lost(this.#ended, label);
    }
    this.#roundTrips++;
    const cleanUp: (() => void)[] = [];
    try {
      return await new Promise<readonly Outcome[]>((resolve, reject) => {
        const watch = this.#watch(progress, fragments, (why) => {
          reject(lost(why, progress.awaitedLabel));
          this.#close(why);
        });
        const silence = setTimeout(() => {
          silence.refresh();
          options.onSilence?.(progress.awaitedLabel, ambient.nowMs() - lastMs);
        }, this.#options.silenceMs ?? SILENCE_MS);
        let lastMs = ambient.nowMs();
        const onAbort = (): void => {
          const during = progress.awaitedLabel;
          const end = (): void => {
            reject(lost('stopped on request', during));
            this.#close('stopped on request');
          };
          // what runs on the host would go on without us, and hold the lock: it is ended first, as far as that can be done soon
          const soon = setTimeout(end, STOP_GRACE_MS);
          cleanUp.push(() => clearTimeout(soon));
          if (progress.begun && !progress.complete) void this.#stop().then(end, end);
          else end();
        };
        options.signal?.addEventListener('abort', onAbort, {once: true});
        cleanUp.push(
          () => clearTimeout(silence),
          () => watch.stop(),
          () => options.signal?.removeEventListener('abort', onAbort),
        );
        const sink = (stream: 'stdout' | 'stderr', chunk: Buffer): void => {
          lastMs = ambient.nowMs();
          silence.refresh();
          try {
            if (!progress.push(stream, chunk, lastMs)) return;
          } catch (problem) {
            if (!(problem instanceof BrokenFraming)) throw problem;
            reject(problem);
            this.#close('its replies could not be understood');
            return;
          }
          watch.moved();
          if (progress.complete) resolve(progress.outcomes());
        };
        const gone = (why: string): void => {
          // When there never was a shell, that is the better answer.
          this.ready.then(() => reject(lost(why, progress.awaitedLabel)), reject);
        };
        this.#sinks.add(sink);
        cleanUp.push(() => this.#sinks.delete(sink));
        this.ready.catch(reject);
        void link.closed.then(gone);
        writeAll(link.stdin, text).then(
          () => watch.sent(),
          () => undefined,
        );
      });
    } finally {
      for (const undo of cleanUp) undo();
    }
  }

  /** Keeps the deadline of the fragment whose reply is awaited. `giveUp` is called when ending it has not helped. */
  #watch(
    progress: BatchProgress,
    fragments: readonly Fragment[],
    giveUp: (why: string) => void,
  ): {sent: () => void; moved: () => void; stop: () => void} {
    let timer: NodeJS.Timeout | undefined;
    let watched: number | undefined;
    const stop = (): void => clearTimeout(timer);
    const expire = (index: number, timeoutMs: number): void => {
      const why = `no end after its ${Math.round(timeoutMs / 100) / 10} s`;
      timer = setTimeout(() => giveUp(`${why}, and it could not be ended`), REAP_GRACE_MS);
      this.#reap(
        () => progress.awaited === index,
        timeoutMs,
        () => progress.markTimedOut(index),
      ).catch((problem: unknown) => {
        if (progress.awaited === index) giveUp(`${why}, and it could not be ended: ${String(problem)}`);
      });
    };
    return {
      stop,
      sent: () => {
        if (progress.begun) return;
        timer = setTimeout(() => giveUp('the shell does not begin with the batch'), BEGIN_MS);
      },
      moved: () => {
        if (!progress.begun) return;
        const index = progress.awaited;
        if (index === watched) return;
        stop();
        watched = index;
        const timeoutMs = index === undefined ? 0 : fragments[index]!.timeoutMs;
        if (index === undefined || !(timeoutMs > 0) || timeoutMs >= 2 ** 31) return;
        timer = setTimeout(() => expire(index, timeoutMs), timeoutMs);
      },
    };
  }

  /** Ends the shell on the host with everything that it runs. */
  async #stop(): Promise<void> {
    const {pid} = await this.ready;
    const {sidekick} = this.#options;
    if (sidekick === undefined) return;
    await using second = await sidekick();
    const shell = `kill -TERM ${pid}\n${reapScript(pid, 0)}`;
    await second.exchange([
      {shell, group: 0, onFailure: 'go-on', label: 'ending what runs', secret: false, timeoutMs: 0},
    ]);
  }

  async #reap(stillAwaited: () => boolean, timeoutMs: number, mark: () => void): Promise<void> {
    const {sidekick, log} = this.#options;
    if (sidekick === undefined) throw new Error('there is no second shell');
    const {pid} = await this.ready;
    await using second = await sidekick();
    if (!stillAwaited()) return;
    mark();
    const fragment: Fragment = {
      shell: reapScript(pid, timeoutMs),
      group: 0,
      onFailure: 'go-on',
      label: 'ending what takes too long',
      secret: false,
      timeoutMs: 0,
    };
    const [outcome] = await second.exchange([fragment]);
    const exit = outcome?.ran === true ? outcome.reply.exit : -1;
    log?.(`${this.#options.name}: ended the fragment that took longer than ${timeoutMs} ms (exit ${exit})`);
    if (exit !== 0 && stillAwaited()) throw new Error(`the host could not find its processes (exit ${exit})`);
  }
}
