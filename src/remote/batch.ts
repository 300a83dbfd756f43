// Reads become fragments, and their outcomes the reads' values. However many typed reads there are, each kind of them is one
// fragment with a constant number of programs; only a module's own fragments cost one each.
import type {RawRead, Read} from '../kit/reads.ts';
import {compileAccountReads} from './read-accounts.ts';
import {compileFileReads} from './read-files.ts';
import {ReadFailed, type CompiledReads} from './read-fragment.ts';
import {compilePackageReads} from './read-packages.ts';
import {compileRawReads} from './read-raw.ts';
import {compileUnitReads} from './read-units.ts';
import type {Fragment, Outcome} from './session.ts';
import {witnessOf} from './witness.ts';

/** The values of a batch's reads. */
export class ReadValues extends Map<Read, unknown> {
  /** Digests of raw replies; see {@link ReadValues.witness}. */
  readonly digests = new Map<Read, string>();

  /**
   * What `compileGuard` compares with: says whether the read would still answer the same. It is short plain text without
   * secrets, so it may be kept in a saved plan. undefined for a read that is not of this batch.
   */
  witness(read: Read): string | undefined {
    return read.read === 'raw' ? this.digests.get(read) : this.has(read) ? witnessOf(read, this.get(read)) : undefined;
  }
}

/** A compiled batch of reads. `decode` takes the outcomes of exactly these fragments, in order. */
export type ReadBatch = {
  readonly fragments: readonly Fragment[];
  /** *errors*: {@link ReadFailed} (as a value) when the host could not answer. A bug in a read's `parse` is thrown. */
  readonly decode: (outcomes: readonly Outcome[]) => ReadValues | ReadFailed;
};

/** Merges and compiles reads. Equal reads may come several times (one path with different wants for its content, too): all get their value. */
export function compileReads(reads: readonly Read[]): ReadBatch {
  const ofKind = <K extends Read['read']>(kind: K): Extract<Read, {read: K}>[] =>
    reads.filter((read): read is Extract<Read, {read: K}> => read.read === kind);
  const digests = new Map<Read, string>();
  const note = (read: RawRead, digest: string): void => void digests.set(read, digest);
  const parts: readonly CompiledReads[] = [
    compileFileReads(ofKind('file')),
    compileUnitReads(ofKind('unit')),
    compilePackageReads(ofKind('package')),
    compileAccountReads(ofKind('account'), ofKind('group')),
    compileRawReads(ofKind('raw'), note),
  ];
  return {
    fragments: parts.flatMap((part) => part.fragments),
    decode: (outcomes) => {
      const values = new ReadValues();
      digests.clear();
      let at = 0;
      try {
        for (const part of parts) {
          part.decode(outcomes.slice(at, at + part.fragments.length), values);
          at += part.fragments.length;
        }
      } catch (problem) {
        if (problem instanceof ReadFailed) return problem;
        throw problem;
      }
      for (const [read, digest] of digests) values.digests.set(read, digest);
      return values;
    },
  };
}
