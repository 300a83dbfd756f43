// All file reads of a batch as one `stat`, one checksum and one `head`, however many there are: on a converged host nothing
// but these runs, and no content travels. Tests of existence and type are the shell's own.
import type {FileRead, FileState, Inode} from '../kit/reads.ts';
import {sha256} from '../kit/content.ts';
import {checkedReply, chunked, fragmentOf, type CompiledReads} from './read-fragment.ts';
import {singleQuoted} from './script.ts';

/** Several reads of one path, as one that is good for all of them. */
type Merged = {
  readonly path: string;
  readonly reads: readonly FileRead[];
  /** `n` never, `a` always, otherwise the digest that needs no content */
  readonly want: string;
  readonly maxBytes: number;
};

/**
 * What runs on the host, behind the assignments `p0=PATH w0=WANT m0=MAXBYTES …`, `n=COUNT` and `cap=BYTES`.
 * It prints lines `INDEX KIND …` (`-` absent, `x` behind a closed directory, `s` lstat, `l` length of a link's target and the target,
 * `f` stat of what a link leads to, `h` digest, `d` not readable), then `c INDEXES` and these files as `head -v` prints them.
 */
const looker = `nl='
'
set -f
words() { a=; for i in $1; do a="$a \\"\\$p$i\\""; done; }
look() {
e= l= f= h= c= i=0
while [ $i -lt $n ]; do
eval "p=\\$p$i"
if [ -L "$p" ]; then e="$e $i" l="$l $i"
if [ -e "$p" ]; then f="$f $i"; fi
elif [ -e "$p" ]; then e="$e $i"
else
d=$p
while d=\${d%/*}; [ -n "$d" ] && ! [ -e "$d" ]; do :; done
if [ -n "$d" ] && [ -d "$d" ] && ! [ -x "$d" ]; then echo "$i x"; else echo "$i -"; fi
fi
i=$((i+1))
done
for k in s f; do
if [ $k = s ]; then q=$e o=; else q=$f o=-L; fi
[ -n "$q" ] || continue
words "$q"
s=$(eval "stat $o -c %f:%u:%g:%s:%Y:%U:%G -- $a" 2>/dev/null)
IFS=$nl; set -- $s; IFS=' '
for i in $q; do
[ $# -gt 0 ] || return 1
echo "$i $k $1"
z=\${1#*:*:*:}; eval "z$i=\${z%%:*}"
shift
done
[ $# = 0 ] || return 1
done
for i in $l; do
eval "p=\\$p$i"
t=$(readlink -- "$p"; echo .); t=\${t%?.}
echo "$i l \${#t}"
printf '%s\\n' "$t"
done
for i in $e; do
eval "p=\\$p$i w=\\$w$i m=\\$m$i z=\\$z$i"
[ -f "$p" ] || continue
if ! [ -r "$p" ]; then echo "$i d"
elif [ "$w" != n ] || [ "$z" -le "$m" ]; then h="$h $i"; fi
done
[ -n "$h" ] || return 0
words "$h"
s=$(eval "sha256sum -- $a" 2>/dev/null)
IFS=$nl; set -- $s; IFS=' '
for i in $h; do
eval "p=\\$p$i w=\\$w$i m=\\$m$i z=\\$z$i"
y=
while [ $# -gt 0 ]; do
x=\${1#\\\\}; y=\${x%%  /*}
if [ \${#y} = 64 ]; then case $y in *[!0-9a-f]*) ;; *) break ;; esac; fi
y=; shift
done
case $p in *[\\\\$nl]*) ;; *) [ "\${x#*  }" = "$p" ] || y= ;; esac
if [ -z "$y" ]; then echo "$i d"; continue; fi
shift
echo "$i h $y"
if [ "$w" != n ] && [ "$w" != "$y" ] && [ "$z" -le "$m" ]; then c="$c $i"; fi
done
}
for try in 1 2 3 4; do
echo "try"
if look; then
words "$c"
echo "c$c"
[ -z "$c" ] || eval "head -v -c $cap -- $a" 2>/dev/null
exit 0
fi
done
echo 'files come and go while they are looked at' >&2
exit 74
`;

/** Compiles file reads; their values are {@link FileState}. */
export function compileFileReads(reads: readonly FileRead[]): CompiledReads {
  const chunks = chunked(merge(reads), (one) => one.path.length + 100);
  return {
    fragments: chunks.map((chunk) => ({
      ...fragmentOf(`${chunk.map(assignments).join('\n')}\nn=${chunk.length} cap=${capOf(chunk)}\n${looker}`, {
        label: chunk.length === 1 ? `reading ${chunk[0]!.path}` : `reading ${chunk.length} files`,
        secret: chunk.some((one) => one.reads.some((read) => read.secret)),
      }),
    })),
    decode: (outcomes, values) => {
      for (const [at, chunk] of chunks.entries()) {
        const states = decodeChunk(checkedReply(outcomes[at], 'reading files').stdout, chunk);
        for (const [index, one] of chunk.entries()) for (const read of one.reads) values.set(read, states[index]);
      }
    },
  };
}

function merge(reads: readonly FileRead[]): readonly Merged[] {
  const byPath = new Map<string, FileRead[]>();
  for (const read of reads) byPath.set(read.path, [...(byPath.get(read.path) ?? []), read]);
  return [...byPath].map(([path, same]) => {
    const wants = new Set(
      same.map(({content}) => (typeof content === 'string' ? content : content.unless.toLowerCase())),
    );
    const digests = [...wants].filter((want) => want !== 'never' && want !== 'always');
    const want = wants.has('always') || digests.length > 1 ? 'a' : (digests[0] ?? 'n');
    const capped = same.filter((read) => want === 'n' || read.content !== 'never');
    return {path, reads: same, want, maxBytes: Math.max(...capped.map((read) => read.maxBytes))};
  });
}

function assignments({path, want, maxBytes}: Merged, index: number): string {
  return `p${index}=${singleQuoted(hostPath(path))} w${index}=${want} m${index}=${maxBytes}`;
}

/** Without a slash at the end, which would follow a link; always from the root. */
function hostPath(path: string): string {
  const stripped = path.replace(/(?<=.)\/+$/, '');
  return stripped.startsWith('/') ? stripped : `/${stripped}`;
}

/** One byte more than anybody wants, so that a file that has grown meanwhile is seen to be too large. */
function capOf(chunk: readonly Merged[]): number {
  return Math.max(...chunk.map((one) => one.maxBytes)) + 1;
}

/** What the lines said of one path. */
type Seen = {
  absent?: 'absent' | 'closed';
  lstat?: string;
  stat?: string;
  target?: string;
  digest?: string;
  denied?: true;
  content?: Uint8Array;
};

function decodeChunk(stdout: Uint8Array, chunk: readonly Merged[]): readonly FileState[] {
  const bytes = Buffer.from(stdout.buffer, stdout.byteOffset, stdout.byteLength);
  let seen: Seen[] = [];
  let at = 0;
  const line = (): string => {
    const end = bytes.indexOf(0x0a, at);
    if (end < 0) throw new Error('the reply to reading files ends in the middle');
    const text = bytes.toString('utf8', at, end);
    at = end + 1;
    return text;
  };
  for (;;) {
    const text = line();
    if (text === 'try') {
      seen = chunk.map(() => ({}));
      continue;
    }
    if (text === 'c' || text.startsWith('c ')) {
      readContents(bytes.subarray(at), text.split(' ').slice(1).map(Number), chunk, seen);
      return seen.map((one, index) => stateOf(one, chunk[index]!));
    }
    const [index = '', kind, rest = ''] = /^(\d+) (\S)(?: (.*))?$/.exec(text)?.slice(1) ?? [];
    const one = seen[Number(index)];
    if (index === '' || one === undefined) throw new Error(`the reply to reading files holds "${text.slice(0, 100)}"`);
    if (kind === '-') one.absent = 'absent';
    else if (kind === 'x') one.absent = 'closed';
    else if (kind === 's') one.lstat = rest;
    else if (kind === 'f') one.stat = rest;
    else if (kind === 'h') one.digest = rest;
    else if (kind === 'd') one.denied = true;
    else if (kind === 'l') {
      const length = Number(rest);
      one.target = bytes.toString('utf8', at, at + length);
      at += length + 1;
    }
  }
}

/**
 * Takes apart what `head -v` printed. Sizes are known from `stat`, so a border is looked up where it must be; only where a file
 * has changed in between (or tells no size, as in /proc) is it searched for, and the digest decides.
 */
function readContents(
  bytes: Buffer,
  indexes: readonly number[],
  chunk: readonly Merged[],
  seen: readonly Seen[],
): void {
  const headers = indexes.map((index, i) =>
    Buffer.from(`${i === 0 ? '' : '\n'}==> ${hostPath(chunk[index]!.path)} <==\n`),
  );
  let start = 0;
  for (const [i, index] of indexes.entries()) {
    const header = headers[i]!;
    const mine = bytes.subarray(start, start + header.length).equals(header);
    // A file that is gone has no header; the first one printed has no empty line in front.
    const bare = start === 0 && bytes.subarray(0, header.length - 1).equals(header.subarray(1));
    if (!mine && !bare) continue;
    const from = start + header.length - (mine ? 0 : 1);
    const one = seen[index]!;
    const ends = borders(bytes, from, headers.slice(i + 1));
    const size = from + sizeOf(one.stat ?? one.lstat);
    const end =
      (ends.includes(size) ? size : undefined) ??
      (ends.length > 1 ? ends.find((e) => sha256(bytes.subarray(from, e)) === one.digest) : undefined) ??
      ends[0]!;
    one.content = new Uint8Array(bytes.subarray(from, end));
    start = end;
  }
}

/** Where the content that begins at `from` may end: before any header of a later file, or at the end of all. */
function borders(bytes: Buffer, from: number, later: readonly Buffer[]): readonly number[] {
  const found = new Set<number>();
  for (const header of later) {
    for (let at = bytes.indexOf(header, from); at >= 0; at = bytes.indexOf(header, at + 1)) found.add(at);
    if (found.size > 0) break;
  }
  if (found.size === 0) found.add(bytes.length);
  return [...found].sort((a, b) => a - b);
}

function sizeOf(stat: string | undefined): number {
  return Number(stat?.split(':')[3] ?? 0);
}

function stateOf(one: Seen, merged: Merged): FileState {
  if (one.absent === 'absent') return {type: 'absent'};
  if (one.absent === 'closed') {
    return {
      type: 'other',
      kind: 'in a directory that may not be entered',
      mode: 0,
      owner: '',
      group: '',
      uid: -1,
      gid: -1,
      sizeBytes: 0,
      mtimeS: 0,
    };
  }
  if (one.lstat === undefined) throw new Error(`no reply about ${merged.path}`);
  const {kind, inode} = inodeOf(one.lstat);
  if (kind !== 'link') return finalState(kind, inode, one, merged);
  const behind = one.stat === undefined ? undefined : inodeOf(one.stat);
  const followed: FileState =
    behind === undefined ? {type: 'absent'} : finalState(behind.kind, behind.inode, one, merged);
  return {type: 'link', target: one.target ?? '', followed, ...inode};
}

function finalState(kind: string, inode: Inode, one: Seen, {maxBytes}: Merged): FileState {
  if (kind === 'directory') return {type: 'directory', ...inode};
  if (kind !== 'file') return {type: 'other', kind, ...inode};
  const content = one.content !== undefined && one.content.length <= maxBytes ? one.content : undefined;
  return {
    type: 'file',
    ...inode,
    ...(content === undefined ? {} : {content, sizeBytes: content.length}),
    // The digest speaks of the same moment as the content, should the file have changed in between.
    ...(one.digest === undefined ? {} : {sha256: content === undefined ? one.digest : sha256(content)}),
    ...(one.denied === undefined ? {} : {denied: true}),
  };
}

/** *source*: inode(7), the file type and mode. */
const kinds: Readonly<Record<number, string>> = {
  0o01: 'fifo',
  0o02: 'character device',
  0o04: 'directory',
  0o06: 'block device',
  0o10: 'file',
  0o12: 'link',
  0o14: 'socket',
};

function inodeOf(stat: string): {kind: string; inode: Inode} {
  const [raw = '', uid = '', gid = '', size = '', mtime = '', owner = '', group = ''] = stat.split(':');
  const mode = parseInt(raw, 16);
  return {
    kind: kinds[mode >> 12] ?? 'unknown',
    inode: {
      mode: mode & 0o7777,
      // `stat` says UNKNOWN for an id without a name
      owner: owner === 'UNKNOWN' ? uid : owner,
      group: group === 'UNKNOWN' ? gid : group,
      uid: Number(uid),
      gid: Number(gid),
      sizeBytes: Number(size),
      mtimeS: Number(mtime),
    },
  };
}
