/*
 * The outer shape of Ansible's vault format: a header line, then the payload in hexadecimal, 80 columns wide. The payload is
 * once more three hexadecimal fields, one a line: salt, HMAC, ciphertext. Everything here can be judged without a password, so that
 * damage is told apart from a wrong password as far as that is possible at all.
 * source: lib/ansible/parsing/vault in ansible-core 2.14, docs "Format of files encrypted with Ansible Vault".
 */
import {error} from '../base/diagnostic.ts';
import type {Span} from '../base/diagnostic.ts';
import {bad, ok} from '../base/result.ts';
import type {Result} from '../base/result.ts';

const MAGIC = '$ANSIBLE_VAULT';
const COLUMNS = 80;

/** A vault text taken apart. `id` is the label of a version 1.2 header. */
export type Envelope = {
  readonly id: string | undefined;
  readonly salt: Buffer;
  readonly hmac: Buffer;
  readonly ciphertext: Buffer;
};

/** Whether a text is a vault: its first line (leading blanks aside) is a vault header. */
export function isVault(text: string | Uint8Array): boolean {
  const head = typeof text === 'string' ? text.slice(0, 4096) : Buffer.from(text.subarray(0, 4096)).toString('latin1');
  return head.trimStart().startsWith(`${MAGIC};`);
}

/** The label (`dev` of `--vault-id dev@…`) in a vault's header; undefined for version 1.1 and for what is no vault. */
export function vaultId(text: string): string | undefined {
  if (!isVault(text)) return undefined;
  const [, version, , id] = headerFields(text);
  return version === '1.2' && id !== undefined && id !== '' ? id : undefined;
}

function headerFields(text: string): string[] {
  const [header = ''] = text.trimStart().split('\n', 1);
  return header
    .trim()
    .split(';')
    .map((field) => field.trim());
}

/** Takes a vault text apart. *errors*: vault-malformed, vault-unsupported, vault-damaged, at `at` or at the line of it that is broken. */
export function readEnvelope(text: string, at?: Span): Result<Envelope> {
  const [magic, version, cipher, id] = headerFields(text);
  if (magic !== MAGIC || version === undefined || cipher === undefined) {
    return fail('vault-malformed', `not a vault: the first line must read "${MAGIC};1.1;AES256"`, at);
  }
  if (version !== '1.1' && version !== '1.2') {
    const help = version === '1.0' ? 're-encrypt it with a present-day ansible-vault' : undefined;
    return fail('vault-unsupported', `vault format version ${version} is not supported`, at, help);
  }
  if (cipher !== 'AES256') return fail('vault-unsupported', `vault cipher ${cipher} is not supported`, at);

  const lines = text
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.trim());
  const foreign = lines.find((line) => !/^[0-9a-fA-F]*$/.test(line));
  if (foreign !== undefined) {
    return fail(
      'vault-damaged',
      'the vault is damaged: a line holds something else than hexadecimal digits',
      within(at, foreign),
    );
  }
  const fields = unhex(lines.join(''))?.toString('latin1').split('\n');
  const [salt, hmac, ciphertext] = (fields ?? []).map(unhex);
  if (fields?.length !== 3 || !salt || !hmac || !ciphertext || salt.length === 0) {
    return fail('vault-damaged', 'the vault is damaged: it is cut off or altered', at);
  }
  if (hmac.length !== 32 || ciphertext.length === 0 || ciphertext.length % 16 !== 0) {
    return fail('vault-damaged', 'the vault is damaged: its ciphertext is not whole', at);
  }
  return ok({id: version === '1.2' && id !== undefined && id !== '' ? id : undefined, salt, hmac, ciphertext});
}

/** Puts a vault text together; it ends with a newline. Version 1.2 with a label, else 1.1, as ansible-vault does. */
export function printEnvelope({id, salt, hmac, ciphertext}: Envelope): string {
  const header = id === undefined ? `${MAGIC};1.1;AES256` : `${MAGIC};1.2;AES256;${id}`;
  const fields = [salt, hmac, ciphertext].map((field) => field.toString('hex')).join('\n');
  const payload = Buffer.from(fields, 'latin1').toString('hex');
  const lines = payload.match(new RegExp(`.{1,${COLUMNS}}`, 'g')) ?? [];
  return [header, ...lines, ''].join('\n');
}

function unhex(digits: string): Buffer | undefined {
  return /^(?:[0-9a-fA-F]{2})*$/.test(digits) ? Buffer.from(digits, 'hex') : undefined;
}

function within(at: Span | undefined, line: string): Span | undefined {
  if (at === undefined) return undefined;
  const found = at.source.text.indexOf(line, at.start);
  return found >= 0 && found < at.end ? {source: at.source, start: found, end: found + line.length} : at;
}

function fail(code: string, message: string, span: Span | undefined, help?: string): Result<Envelope> {
  return bad(error(code, message, {...(span && {span}), ...(help !== undefined && {help})}));
}
