// How a plan is sealed: its content under a key made for this one plan (AES-256-GCM), and that key in shares. Each vault password in use gets a share
// in Ansible's vault format, and all of them are needed: whoever has but the password of `dev` shall not read what `prod` sealed. Where no vault
// password is in use the controller's own key takes the one share.
import {createCipheriv, createDecipheriv, createHash, createHmac} from 'node:crypto';
import {gunzipSync, gzipSync} from 'node:zlib';
import {error, type Diagnostic, type Span} from '../base/diagnostic.ts';
import {bad, ok, type Result} from '../base/result.ts';
import {Secret} from '../base/secret.ts';
import {decrypt, encrypt, type VaultPassword} from '../secrets/vault.ts';

/** A share of a plan's key. `controller`: the fingerprint of the controller's key that opens it. */
export type KeyShare =
  | {readonly with: 'vault'; readonly id: string; readonly vault: string}
  | {readonly with: 'controller'; readonly controller: string; readonly share: string};

/** What stands in the file. *shape*: `data` is base64 of nonce (12 bytes), tag (16) and ciphertext of gzipped JSON. */
export type Sealed = {readonly shares: readonly KeyShare[]; readonly data: string};

/** What seals: the vault passwords in use, or the controller's key (32 bytes). */
export type Sealing =
  | {readonly with: 'vault'; readonly passwords: readonly VaultPassword[]}
  | {readonly with: 'controller'; readonly key: Uint8Array};

/** Names a controller's key without telling it. */
export function fingerprint(key: Uint8Array): string {
  return createHmac('sha256', key).update('tsplay plan key').digest('hex').slice(0, 16);
}

/** Seals data. `context` is authenticated with it: opening needs the same. `random` gives fresh bytes. */
export function seal(data: unknown, sealing: Sealing, context: string, random: (bytes: number) => Uint8Array): Sealed {
  const passwords = sealing.with === 'vault' ? distinct(sealing.passwords) : [];
  const parts = Array.from({length: Math.max(1, passwords.length)}, () => random(32));
  const key = combine(parts);
  const nonce = random(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const shares: KeyShare[] =
    sealing.with === 'vault'
      ? passwords.map(({id, password}, i) => ({
          with: 'vault',
          id,
          vault: encrypt(Buffer.from(parts[i]!).toString('hex'), {id, password, salt: random(32)}),
        }))
      : [{with: 'controller', controller: fingerprint(sealing.key), share: wrap(sealing.key, parts[0]!, random(12))}];
  cipher.setAAD(authenticated(context, shares));
  const text = Buffer.concat([cipher.update(gzipSync(JSON.stringify(data))), cipher.final()]);
  return {shares, data: Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64')};
}

/**
 * Opens what was sealed. *errors*: those of vaults (no or a wrong password), `plan-elsewhere` (sealed by another controller), `plan-damaged`; at `at`.
 */
export function unseal(
  sealed: Sealed,
  with_: {readonly passwords: readonly VaultPassword[]; readonly key: Uint8Array | undefined},
  context: string,
  at?: Span,
): Result<unknown> {
  const span = at === undefined ? {} : {span: at};
  const parts: Uint8Array[] = [];
  const problems: Diagnostic[] = [];
  for (const share of sealed.shares) {
    const opened = share.with === 'vault' ? vaultShare(share, with_.passwords, at) : ownShare(share, with_.key, at);
    if (opened.ok) parts.push(opened.value);
    else problems.push(...opened.problems);
  }
  const [problem, ...more] = problems;
  if (problem !== undefined) return bad(problem, ...more);
  try {
    const bytes = Buffer.from(sealed.data, 'base64');
    const decipher = createDecipheriv('aes-256-gcm', combine(parts), bytes.subarray(0, 12), {authTagLength: 16});
    decipher.setAuthTag(bytes.subarray(12, 28));
    decipher.setAAD(authenticated(context, sealed.shares));
    const plain = Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]);
    return ok(JSON.parse(gunzipSync(plain).toString('utf8')) as unknown);
  } catch {
    return bad(
      error('plan-damaged', 'what is sealed in this plan was altered, or is cut off', {
        ...span,
        help: 'make the plan again',
      }),
    );
  }
}

/** The lines' digests, in the form in which they are sealed. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64').slice(0, 22);
}

function vaultShare(
  share: KeyShare & {with: 'vault'},
  passwords: readonly VaultPassword[],
  at: Span | undefined,
): Result<Uint8Array> {
  const opened = decrypt(share.vault, passwords, at);
  if (!opened.ok) {
    const [first, ...rest] = opened.problems;
    const help =
      first.help ??
      `the plan was sealed with the vault password "${share.id}"; give it with --vault-id or --vault-password-file`;
    return bad({...first, message: `the plan is sealed: ${first.message}`, help}, ...rest);
  }
  return ok(new Uint8Array(Buffer.from(opened.value.text.reveal(), 'hex')));
}

function ownShare(
  share: KeyShare & {with: 'controller'},
  key: Uint8Array | undefined,
  at: Span | undefined,
): Result<Uint8Array> {
  const opened = key === undefined || fingerprint(key) !== share.controller ? undefined : unwrap(key, share.share);
  if (opened !== undefined) return ok(opened);
  return bad(
    error('plan-elsewhere', 'this plan was sealed with the key of another controller, and can be applied only there', {
      ...(at === undefined ? {} : {span: at}),
      help: 'apply it where it was made (with the same state folder), or make it with a vault password: then it is sealed with that',
    }),
  );
}

function wrap(key: Uint8Array, share: Uint8Array, nonce: Uint8Array): string {
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const text = Buffer.concat([cipher.update(share), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64');
}

function unwrap(key: Uint8Array, share: string): Uint8Array | undefined {
  try {
    const bytes = Buffer.from(share, 'base64');
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), {authTagLength: 16});
    decipher.setAuthTag(bytes.subarray(12, 28));
    return new Uint8Array(Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]));
  } catch {
    return undefined;
  }
}

function combine(parts: readonly Uint8Array[]): Uint8Array {
  const key = new Uint8Array(32);
  for (const part of parts) for (let i = 0; i < key.length; i++) key[i]! ^= part[i] ?? 0;
  return key;
}

/** One share for a password, however often it was given. */
function distinct(passwords: readonly VaultPassword[]): readonly VaultPassword[] {
  const seen = new Set<string>();
  return passwords.filter(({id, password}) => {
    const name = `${id} ${password.reveal()}`;
    if (seen.has(name)) return false;
    seen.add(name);
    return true;
  });
}

function authenticated(context: string, shares: readonly KeyShare[]): Buffer {
  return Buffer.from(`${context}\n${JSON.stringify(shares)}`);
}

/** A key as a secret, for the redactor: nothing that is printed may hold it. */
export function keySecrets(key: Uint8Array): readonly Secret[] {
  const bytes = Buffer.from(key);
  return [Secret.of(bytes.toString('hex')), Secret.of(bytes.toString('base64'))];
}
