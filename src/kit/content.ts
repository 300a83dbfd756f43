import {createHash, createHmac} from 'node:crypto';
import {Secret, reveal} from '../base/secret.ts';
import type {Value} from './plan.ts';

/** Hex SHA-256 of text (as UTF-8) or bytes: what `WantContent.unless` and {@link FileState} speak of. */
export function sha256(content: string | Uint8Array | Secret): string {
  return createHash('sha256')
    .update(content instanceof Uint8Array ? content : reveal(content))
    .digest('hex');
}

/** SHA-256 of bytes, as bytes. */
export function sha256Bytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}

/** A host's name as known_hosts hashes it: HMAC-SHA1 under a salt, both base64. *source*: sshd(8). */
export function hashedHostName(saltBase64: string, name: string): string {
  return createHmac('sha1', Buffer.from(saltBase64, 'base64')).update(name).digest('base64');
}

/** Bytes of text or bytes. */
export function bytesOf(content: string | Uint8Array | Secret): Uint8Array {
  return content instanceof Uint8Array ? content : new TextEncoder().encode(reveal(content));
}

/** UTF-8 text of bytes, or undefined where they are not text (invalid UTF-8, or NUL). */
export function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', {fatal: true, ignoreBOM: true}).decode(bytes);
  } catch {
    return undefined;
  }
}

/** How content stands in a change: text as it is, other bytes by size and digest. */
export function contentValue(content: string | Uint8Array | Secret | undefined): Value {
  if (content === undefined) return undefined;
  if (!(content instanceof Uint8Array)) return content;
  return textOf(content) ?? `(binary, ${content.length} bytes, sha256 ${sha256(content).slice(0, 16)}…)`;
}
