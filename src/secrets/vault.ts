/*
 * Ansible's vault, so that encrypted variables and files carry over as they are: PBKDF2-HMAC-SHA256 makes 80 bytes out of
 * password and salt (key, HMAC key, counter), the text is padded by PKCS7, encrypted by AES-256 in counter mode, and the
 * ciphertext authenticated by HMAC-SHA256.
 */
import {createCipheriv, createDecipheriv, createHmac, pbkdf2Sync, timingSafeEqual} from 'node:crypto';
import {error} from '../base/diagnostic.ts';
import type {Span} from '../base/diagnostic.ts';
import {bad, ok} from '../base/result.ts';
import type {Result} from '../base/result.ts';
import {Secret, reveal} from '../base/secret.ts';
import {printEnvelope, readEnvelope} from './vault-envelope.ts';
import type {Envelope} from './vault-envelope.ts';

export {isVault, vaultId} from './vault-envelope.ts';

const ITERATIONS = 10_000;
const BLOCK = 16;

/** A password for vaults, under its label; the label is `default` where the user gave none. */
export type VaultPassword = {readonly id: string; readonly password: Secret};

/** What was in a vault. */
export type VaultContent = {
  readonly bytes: Uint8Array;
  /** the content as UTF-8 text, all of it secret */ readonly text: Secret;
  /** which password opened it */ readonly id: string;
};

/**
 * Opens a vault with the first password that fits: those with the vault's own label first, then all others in their order.
 *
 * *errors*: vault-malformed, vault-unsupported, vault-damaged, vault-no-password (none given at all),
 * vault-unknown-id (none given under the vault's label, and no other fits), vault-wrong-password.
 * They are located at `at`, the place of the vault in a file.
 */
export function decrypt(text: string, passwords: readonly VaultPassword[], at?: Span): Result<VaultContent> {
  const read = readEnvelope(text, at);
  if (!read.ok) return read;
  const envelope = read.value;
  const span = at && {span: at};
  const labelled = passwords.filter(({id}) => id === envelope.id);
  for (const {id, password} of [...labelled, ...passwords.filter((one) => !labelled.includes(one))]) {
    const keys = keysOf(password, envelope.salt);
    if (!timingSafeEqual(hmacOf(keys, envelope.ciphertext), envelope.hmac)) continue;
    const bytes = unseal(keys, envelope.ciphertext);
    if (bytes === undefined) return bad(error('vault-damaged', 'the vault is damaged: its padding is wrong', span));
    return ok({bytes, text: Secret.of(bytes.toString('utf8')), id});
  }

  const named = envelope.id === undefined ? '' : ` "${envelope.id}"`;
  if (passwords.length === 0) {
    const help = 'give one with --vault-password-file, --vault-id or --ask-vault-pass';
    return bad(error('vault-no-password', `no password for the vault${named} was given`, {...span, help}));
  }
  const given = [...new Set(passwords.map(({id}) => id))].join(', ');
  if (envelope.id !== undefined && labelled.length === 0) {
    const message = `the vault is labelled${named}, a password under this label was not given, and no other one opens it`;
    return bad(error('vault-unknown-id', message, {...span, note: `passwords given: ${given}`}));
  }
  const message = `wrong password for the vault${named} (or its text was altered)`;
  return bad(error('vault-wrong-password', message, {...span, note: `passwords given: ${given}`}));
}

/**
 * Encrypts as `ansible-vault encrypt` does. `salt` is 32 random bytes, never used twice: the caller has them to give, so that this stays
 * a function of its arguments. An `id` makes a labelled (1.2) vault; `default` is no label, as with Ansible.
 *
 * *shape*: header line and payload lines, with a newline at the end.
 */
export function encrypt(
  content: Uint8Array | string | Secret,
  {id, password, salt}: {readonly id?: string; readonly password: Secret; readonly salt: Uint8Array},
): string {
  if (salt.length === 0) throw new Error('a vault needs a salt');
  if (id !== undefined && !/^[^;\s]+$/.test(id)) throw new Error('a vault label holds neither blanks nor semicolons');
  const plain = content instanceof Uint8Array ? Buffer.from(content) : Buffer.from(reveal(content), 'utf8');
  const keys = keysOf(password, salt);
  const ciphertext = seal(keys, plain);
  const label = id === 'default' ? undefined : id;
  return printEnvelope({id: label, salt: Buffer.from(salt), hmac: hmacOf(keys, ciphertext), ciphertext});
}

type Keys = {readonly cipher: Buffer; readonly hmac: Buffer; readonly counter: Buffer};

// Deriving costs milliseconds by design; group_vars are read by many commands of one process. It goes when the password goes.
const derived = new WeakMap<Secret, Map<string, Keys>>();

function keysOf(password: Secret, salt: Uint8Array): Keys {
  const bySalt = derived.get(password) ?? new Map<string, Keys>();
  derived.set(password, bySalt);
  const name = Buffer.from(salt).toString('base64');
  let keys = bySalt.get(name);
  if (keys === undefined) {
    const bytes = pbkdf2Sync(password.reveal(), salt, ITERATIONS, 80, 'sha256');
    keys = {cipher: bytes.subarray(0, 32), hmac: bytes.subarray(32, 64), counter: bytes.subarray(64, 80)};
    bySalt.set(name, keys);
  }
  return keys;
}

function hmacOf(keys: Keys, ciphertext: Envelope['ciphertext']): Buffer {
  return createHmac('sha256', keys.hmac).update(ciphertext).digest();
}

// Counter mode needs no padding; the format has it all the same.
function seal(keys: Keys, plain: Buffer): Buffer {
  const missing = BLOCK - (plain.length % BLOCK);
  const padded = Buffer.concat([plain, Buffer.alloc(missing, missing)]);
  const cipher = createCipheriv('aes-256-ctr', keys.cipher, keys.counter);
  return Buffer.concat([cipher.update(padded), cipher.final()]);
}

function unseal(keys: Keys, ciphertext: Buffer): Buffer | undefined {
  const cipher = createDecipheriv('aes-256-ctr', keys.cipher, keys.counter);
  const padded = Buffer.concat([cipher.update(ciphertext), cipher.final()]);
  const missing = padded.at(-1) ?? 0;
  if (missing < 1 || missing > BLOCK || !padded.subarray(-missing).every((byte) => byte === missing)) return undefined;
  return padded.subarray(0, padded.length - missing);
}
