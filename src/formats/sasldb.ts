/*
 * Cyrus SASL's user database: a key-value file of the kind that the distribution built its library with (Debian: Berkeley DB;
 * openSUSE: the ndbm interface of gdbm, a pair `.dir` and `.pag`; Fedora: gdbm). It holds passwords in the clear, and that is what makes
 * drift of a password visible without keeping anything: the values come out as secrets and nothing else does.
 */
import {error} from '../base/diagnostic.ts';
import {bad, ok} from '../base/result.ts';
import type {Result} from '../base/result.ts';
import {Secret} from '../base/secret.ts';
import {DamagedFile, isBerkeleyDb, readBerkeleyDb} from './berkeley-db.ts';
import type {Pair} from './berkeley-db.ts';
import {isGdbm, readGdbm} from './gdbm.ts';
import {readNdbmPages} from './ndbm-pages.ts';

/** One property of a user: `userPassword` is the password, others are secrets of single mechanisms (`cmusaslsecretOTP`). */
export type SaslEntry = {
  readonly user: string;
  readonly realm: string;
  readonly property: string;
  readonly value: Secret;
};

/** Where `saslpasswd2 -f DB` may have put the data, in the order in which to look. `.dir` beside `.pag` holds nothing of interest. */
export function sasldbFiles(db: string): readonly string[] {
  return [db, `${db}.pag`, `${db}.db`];
}

/**
 * The entries of a database, sorted by user, realm and property, from the bytes of the one file (Berkeley DB, gdbm) or of the `.pag` of a pair.
 * An empty file is an empty database.
 *
 * *shape*: keys are `user NUL realm NUL property`. Text is UTF-8; a value that is not comes out byte by byte (Latin-1).
 * *errors*: sasldb-format (another kind of file), sasldb-damaged.
 */
export function parseSasldb(bytes: Uint8Array): Result<SaslEntry[]> {
  let pairs: Pair[] | undefined;
  try {
    pairs = pairsOf(bytes);
  } catch (problem) {
    // A RangeError is an offset that leads out of the file.
    if (!(problem instanceof DamagedFile || problem instanceof RangeError)) throw problem;
    return bad(
      error(
        'sasldb-damaged',
        `the sasldb is damaged: ${problem instanceof DamagedFile ? problem.message : 'it is cut off'}`,
      ),
    );
  }
  if (pairs === undefined) {
    return bad(error('sasldb-format', 'not a sasldb: neither a Berkeley DB nor a gdbm or ndbm file'));
  }
  const entries: SaslEntry[] = [];
  for (const {key, value} of pairs) {
    const [user, realm, property, ...more] = text(key).split('\0');
    if (user === undefined || realm === undefined || property === undefined || more.length > 0) {
      return bad(error('sasldb-format', 'not a sasldb: a key is not made of user, realm and property'));
    }
    entries.push({user, realm, property, value: Secret.of(text(value))});
  }
  const order = ({user, realm, property}: SaslEntry): string => [user, realm, property].join('\0');
  return ok(entries.sort((a, b) => (order(a) < order(b) ? -1 : 1)));
}

function pairsOf(bytes: Uint8Array): Pair[] | undefined {
  if (isBerkeleyDb(bytes)) return readBerkeleyDb(bytes);
  if (isGdbm(bytes)) return readGdbm(bytes);
  return readNdbmPages(bytes);
}

function text(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', {fatal: true, ignoreBOM: true}).decode(bytes);
  } catch {
    return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  }
}
