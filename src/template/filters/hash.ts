// Filters that hash and encode.
import {createHash, getHashes} from 'node:crypto';
import {SALT_ALPHABET, shaCrypt} from '../crypt.ts';
import type {Filter, Site} from '../environment.ts';
import {Misuse} from '../fault.ts';
import {plain} from './text.ts';

function hash(value: unknown, kind: string): string {
  const name = kind.replaceAll('_', '-').replace(/^sha3/, 'sha3');
  if (!getHashes().includes(name)) throw new Misuse(`there is no hash "${kind}"`, 'bad-argument');
  return createHash(name).update(plain(value)).digest('hex');
}

function encoding(name: unknown): BufferEncoding {
  const wanted = name === undefined ? 'utf-8' : plain(name).toLowerCase();
  const known: Record<string, BufferEncoding> = {
    'utf-8': 'utf8',
    utf8: 'utf8',
    'utf-16-le': 'utf16le',
    'utf-16le': 'utf16le',
    latin1: 'latin1',
    'latin-1': 'latin1',
    'iso-8859-1': 'latin1',
    ascii: 'ascii',
  };
  const found = Object.hasOwn(known, wanted) ? known[wanted] : undefined;
  if (found === undefined) throw new Misuse(`there is no encoding "${wanted}"`, 'bad-argument');
  return found;
}

function passwordHash(
  site: Site,
  value: unknown,
  typeGiven?: unknown,
  saltGiven?: unknown,
  _size?: unknown,
  roundsGiven?: unknown,
): string {
  const type =
    typeGiven === undefined || typeGiven === null
      ? 'sha512'
      : plain(typeGiven)
          .replace(/_crypt$/, '')
          .replace(/^crypt_/, '');
  if (type !== 'sha512' && type !== 'sha256')
    throw new Misuse(`password_hash cannot make "${type}"`, 'bad-argument', 'sha512 or sha256');
  let salt: string;
  if (saltGiven === undefined || saltGiven === null) {
    const bytes = site.environment.randomBytes?.(16);
    if (bytes === undefined) throw new Misuse('there is no randomness for a salt here', 'not-available', 'give a salt');
    salt = Array.from(bytes, (byte) => SALT_ALPHABET[byte % 64] ?? '.').join('');
  } else salt = plain(saltGiven);
  if (!/^[./\dA-Za-z]{1,16}$/.test(salt))
    throw new Misuse('a salt has 1 to 16 characters of ./0-9A-Za-z', 'bad-argument');
  // Ansible's libraries use 656000 (sha512) and 535000 (sha256) rounds where none are asked for; see docs/template-differences.md.
  const rounds =
    roundsGiven === undefined || roundsGiven === null ? (type === 'sha512' ? 656_000 : 535_000) : Number(roundsGiven);
  if (!(rounds >= 1000 && rounds <= 5_000_000))
    throw new Misuse('rounds must be between 1000 and 5000000', 'bad-argument');
  return shaCrypt(type, plain(value), salt, rounds === 5000 ? undefined : rounds);
}

export const hashFilters: readonly (readonly [string, Filter])[] = [
  [
    'hash',
    {
      params: ['hashtype'],
      apply: (_site, value, kind?: unknown) => hash(value, kind === undefined ? 'sha1' : plain(kind)),
    },
  ],
  ['checksum', {params: [], apply: (_site, value) => hash(value, 'sha1')}],
  ['sha1', {params: [], apply: (_site, value) => hash(value, 'sha1')}],
  ['md5', {params: [], apply: (_site, value) => hash(value, 'md5')}],
  ['password_hash', {params: ['hashtype', 'salt', 'salt_size', 'rounds', 'ident'], apply: passwordHash}],
  [
    'b64encode',
    {
      params: ['encoding'],
      apply: (_site, value, name?: unknown) => Buffer.from(plain(value), encoding(name)).toString('base64'),
    },
  ],
  [
    'b64decode',
    {
      params: ['encoding'],
      apply: (_site, value, name?: unknown) => {
        const text = plain(value).replaceAll(/[^A-Za-z\d+/=]/g, '');
        if (text.replace(/=+$/, '').length % 4 === 1) throw new Misuse('this is not base64', 'bad-base64');
        return Buffer.from(text, 'base64').toString(encoding(name));
      },
    },
  ],
];
