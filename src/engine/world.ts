import {Unknown} from '../base/unknown.ts';
import {touches, type Key} from '../kit/key.ts';
import type {Probe} from '../kit/probe.ts';
import {witnessOf} from '../remote/witness.ts';
import {isSameWitness, moveOf} from './moves.ts';
import type {Saw} from './plan-part.ts';
import type {FileRead, FileState, PackageState, Read, UnitState} from '../kit/reads.ts';

/** What a change did to a key: the value that later reads will see, or an Unknown that names the task it waits for. */
export type Prediction = {
  readonly key: Key;
  readonly value: unknown;
  /** the task, in words */
  readonly cause: string;
  /** something may come into being: what is there already stays as it is */
  readonly onlyWhatIsAbsent?: true;
};

type Reply = {readonly read: Read; readonly value: unknown; readonly witness: string | undefined};

/** What is known for a probe: all of it, something that only applying will tell, or reads that still have to be made. */
export type Sight<T> =
  | {readonly sight: 'known'; readonly state: T}
  | {readonly sight: 'unknown'; readonly cause: Unknown}
  | {readonly sight: 'missing'; readonly reads: readonly Read[]};

/**
 * What the controller knows of one host: replies to reads, and on top of them what planned but not yet applied ops will change.
 * In check mode the top layer is never taken away, so each task sees the state that the earlier ones would leave.
 * Replies are kept per account, since accounts may see different things; predictions hold for all.
 */
export class World {
  readonly #replies = new Map<string, Map<string, Reply>>();
  #predictions: Prediction[] = [];

  /** Keeps a reply. */
  learn(user: string, read: Read, value: unknown, witness?: string): void {
    let replies = this.#replies.get(user);
    if (replies === undefined) this.#replies.set(user, (replies = new Map<string, Reply>()));
    replies.set(read.key, {read, value, witness});
  }

  /** What is known for a probe as this account. */
  see<T>(user: string, probe: Probe<T>): Sight<T> {
    const values: unknown[] = [];
    const missing: Read[] = [];
    for (const read of probe.reads) {
      const predicted = this.#predicted(user, read);
      if (predicted !== undefined) {
        if (predicted.value instanceof Unknown) return {sight: 'unknown', cause: predicted.value};
        values.push(predicted.value);
        continue;
      }
      const reply = this.#replies.get(user)?.get(read.key);
      if (reply !== undefined && answers(reply, read)) values.push(reply.value);
      else missing.push(read);
    }
    if (missing.length > 0) return {sight: 'missing', reads: missing};
    return {sight: 'known', state: probe.join(values)};
  }

  /** The value that a read of a key gives now, predictions included; undefined where it was never read. */
  valueOf(user: string, key: Key): unknown {
    for (let i = this.#predictions.length - 1; i >= 0; i--) {
      const prediction = this.#predictions[i]!;
      if (prediction.key === key) return prediction.value;
    }
    return this.#replies.get(user)?.get(key)?.value;
  }

  /** What a key's reads answered, as something to compare with later; none where ops of this run change it first. */
  witnessesOf(user: string, key: Key): readonly {read: Read; witness: string}[] {
    if (this.#predictions.some((p) => touches(p.key, key))) return [];
    const found: {read: Read; witness: string}[] = [];
    for (const {read, witness} of this.#replies.get(user)?.values() ?? []) {
      if (witness !== undefined && depends(read, key)) found.push({read, witness});
    }
    return found;
  }

  /** What a probe's reads give, to be compared with when a saved plan is applied. */
  sawOf(user: string, probe: Probe<unknown>): readonly Saw[] {
    return probe.reads.map((read): Saw => {
      const common = {
        key: read.key,
        about: read.read === 'raw' ? read.dependsOn : [],
        secret: (read.read === 'file' || read.read === 'raw') && read.secret,
      };
      const predicted = this.#predicted(user, read);
      if (predicted === undefined)
        return {...common, from: 'host', witness: this.#replies.get(user)?.get(read.key)?.witness};
      const told = read.read === 'raw' || predicted.value instanceof Unknown;
      return {...common, from: 'plan', witness: told ? undefined : witnessOf(read, predicted.value)};
    });
  }

  /** What a probe's reads give otherwise than they gave for a plan, in a line each. */
  movesOf(user: string, probe: Probe<unknown>, saw: readonly Saw[]): readonly string[] {
    const before = new Map(saw.map((one) => [one.key, one]));
    const moves = this.sawOf(user, probe).flatMap((now) => {
      const then = before.get(now.key);
      if (then === undefined) return ['its module reads something else now'];
      if (then.witness === undefined || now.witness === undefined) return [];
      return isSameWitness(then.witness, now.witness) ? [] : [moveOf(then, now.witness)];
    });
    return [...new Set(moves)];
  }

  /** A copy to think ahead with. */
  fork(): World {
    const copy = new World();
    for (const [user, replies] of this.#replies) copy.#replies.set(user, new Map(replies));
    copy.#predictions = [...this.#predictions];
    return copy;
  }

  /** Whether a reply for this read is there, whatever the predictions say. */
  has(user: string, read: Read): boolean {
    const reply = this.#replies.get(user)?.get(read.key);
    return reply !== undefined && answers(reply, read);
  }

  /** Puts what an op will change on top. */
  predict(predictions: readonly Prediction[]): void {
    this.#predictions.push(...predictions);
  }

  /** The changes of these predictions have been made: they are facts now, and replies that they touch are worth nothing. */
  settle(predictions: readonly Prediction[]): void {
    const settled = new Set(predictions);
    this.#predictions = this.#predictions.filter((p) => !settled.has(p));
    this.forget(predictions.map((p) => p.key));
  }

  /** Drops replies that a change of these keys may have made false. */
  forget(keys: readonly Key[]): void {
    for (const replies of this.#replies.values()) {
      for (const [id, {read}] of replies) {
        if (keys.some((key) => depends(read, key))) replies.delete(id);
      }
    }
  }

  /** Forgets what was read; what planned ops will change still holds. */
  forgetReplies(): void {
    this.#replies.clear();
  }

  /** Forgets everything: after a reboot, or when nobody knows what a broken batch has done. */
  forgetAll(): void {
    this.#replies.clear();
    this.#predictions = [];
  }

  /** undefined where it was not read yet: reading it will tell. */
  #isThere(user: string, read: Read): boolean | undefined {
    if (read.read === 'raw') return false;
    const reply = this.#replies.get(user)?.get(read.key);
    return reply === undefined ? undefined : exists(reply.read, reply.value);
  }

  #predicted(user: string, read: Read): {value: unknown} | undefined {
    for (let i = this.#predictions.length - 1; i >= 0; i--) {
      const {key, value, cause, onlyWhatIsAbsent} = this.#predictions[i]!;
      if (onlyWhatIsAbsent === true && this.#isThere(user, read) !== false) continue;
      if (key === read.key || (value !== undefined && goneWithFolder(read, key))) return {value};
      if (depends(read, key)) return {value: value instanceof Unknown ? value : new Unknown(cause)};
    }
    return undefined;
  }
}

/** Whether a typed read's value is of something that exists. */
function exists(read: Read, value: unknown): boolean {
  switch (read.read) {
    case 'file':
      return (value as FileState).type !== 'absent';
    case 'unit':
      return (value as UnitState).type === 'unit' && (value as {load: string}).load !== 'not-found';
    case 'package':
      return (value as PackageState).installed;
    case 'account':
    case 'group':
      return (value as {type: string}).type !== 'absent';
    case 'raw':
      return false;
  }
}

/** A raw read depends on what it names; a typed one on its key, and a file on links and folders above it only through its own key. */
function depends(read: Read, changed: Key): boolean {
  if (touches(changed, read.key)) return true;
  return read.read === 'raw' && read.dependsOn.some((key) => touches(changed, key));
}

/** A kept reply serves a read when it holds at least as much: a file's content may not have travelled. */
function answers(reply: Reply, wanted: Read): boolean {
  if (wanted.read !== 'file' || wanted.content === 'never') return true;
  const state = reply.value as {type: string; sha256?: string; content?: Uint8Array; denied?: true; sizeBytes?: number};
  const followed = state as {
    type: string;
    followed?: {type: string; sha256?: string; content?: Uint8Array; sizeBytes?: number};
  };
  const file = state.type === 'link' ? followed.followed : state;
  if (file === undefined || file.type !== 'file' || state.denied === true) return true;
  if (file.content !== undefined) return true;
  if ((file.sizeBytes ?? 0) > wanted.maxBytes) return (reply.read as FileRead).maxBytes >= wanted.maxBytes;
  return typeof wanted.content === 'object' && file.sha256 === wanted.content.unless;
}

/** Below a removed folder every file is absent, which is what the folder's prediction says. */
function goneWithFolder(read: Read, key: Key): boolean {
  return read.read === 'file' && key.startsWith('tree:') && touches(key, read.key);
}
