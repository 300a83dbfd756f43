// One line of a file whose lines are chained: JSON whose first member is the hash of the line before it and of everything that follows in this one. So a line
// that was edited, removed, added or moved is known by name, with nothing but the file at hand.
import {createHash} from 'node:crypto';

/** SHA-256 in base64url, 43 characters. */
export type Hash = string;

/** The line (without its line break) for a record, and its hash. `previous` is the hash of the line before; the first line has a name of the file's own. */
export function chained(previous: Hash, record: object): {readonly line: string; readonly hash: Hash} {
  const body = JSON.stringify(record);
  const hash = hashOf(previous, body);
  return {line: `{"hash":"${hash}",${body.slice(1)}`, hash};
}

/** What a line holds. `isIntact` is false where it is not what was written behind a line with the hash `previous`. undefined = no line of such a file at all. */
export function unchained(
  previous: Hash,
  line: string,
): {readonly record: Readonly<Record<string, unknown>>; readonly hash: Hash; readonly isIntact: boolean} | undefined {
  const hash = /^\{"hash":"([\w-]{43})",/.exec(line)?.[1];
  if (hash === undefined) return undefined;
  const body = `{${line.slice(54)}`;
  let record: unknown;
  try {
    record = JSON.parse(body);
  } catch {
    return undefined;
  }
  return {record: record as Readonly<Record<string, unknown>>, hash, isIntact: hashOf(previous, body) === hash};
}

function hashOf(previous: Hash, body: string): Hash {
  return createHash('sha256').update(previous).update('\n').update(body).digest('base64url');
}
