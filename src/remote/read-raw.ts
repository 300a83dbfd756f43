// A module's own fragment runs as it is; equal ones run once.
import {createHash} from 'node:crypto';
import type {RawRead, Reply} from '../kit/reads.ts';
import {ReadFailed, type CompiledReads} from './read-fragment.ts';

/** Compiles raw reads; a value is what the read's own `parse` made of the reply. `replies` is told each reply's digest (see {@link replyDigest}). */
export function compileRawReads(
  reads: readonly RawRead[],
  onReply: (read: RawRead, digest: string) => void,
): CompiledReads {
  const byKey = new Map<string, RawRead[]>();
  for (const read of reads) byKey.set(read.key, [...(byKey.get(read.key) ?? []), read]);
  const groups = [...byKey.values()];
  return {
    fragments: groups.map((same) => {
      const first = same[0]!;
      return {
        shell: first.fragment.shell,
        ...(first.stdin === undefined ? {} : {stdin: first.stdin}),
        group: 0,
        onFailure: 'go-on' as const,
        label: rawLabel(first),
        secret: same.some((read) => read.secret),
        timeoutMs: Math.max(...same.map((read) => read.timeoutMs)),
      };
    }),
    decode: (outcomes, values) => {
      for (const [at, same] of groups.entries()) {
        const outcome = outcomes[at];
        const label = rawLabel(same[0]!);
        if (outcome?.ran !== true) throw new ReadFailed(`"${label}" was not run`);
        if (outcome.timedOut) throw new ReadFailed(`"${label}" took longer than ${same[0]!.timeoutMs / 1000} s`);
        for (const read of same) {
          onReply(read, replyDigest(outcome.reply));
          values.set(read, read.parse(outcome.reply));
        }
      }
    },
  };
}

/** Hex SHA-256 over a reply's stdout, a colon, its exit status and a line break: what a guard on the host computes again. */
export function replyDigest(reply: Reply): string {
  return createHash('sha256').update(reply.stdout).update(`:${reply.exit}\n`).digest('hex');
}

/** The first words of the fragment: enough to know it by. Fragments hold no secrets. */
function rawLabel(read: RawRead): string {
  const text = read.fragment.shell.trim().replaceAll(/\s+/g, ' ');
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
