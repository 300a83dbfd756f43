// Private keys: files and what an agent holds.
import {readFile} from 'node:fs/promises';
import type {BaseAgent, ParsedKey} from 'ssh2';
import {fingerprint} from './known-hosts.ts';

type Ssh2 = typeof import('ssh2');

/** A key that can be used, or at least be recognised. `public` is in wire format. */
export type KeyFile =
  | {readonly state: 'usable'; readonly path: string; readonly key: ParsedKey; readonly public: Buffer}
  | {readonly state: 'locked'; readonly path: string; readonly why: string; readonly public: Buffer | undefined}
  | {readonly state: 'absent' | 'unusable'; readonly path: string; readonly why: string};

/** Reads a private key file. `locked`: encrypted, and the passphrase is missing or wrong. */
export async function readKeyFile(ssh2: Ssh2, path: string, passphrase: string | undefined): Promise<KeyFile> {
  let text: Buffer;
  try {
    text = await readFile(path);
  } catch (problem) {
    const code = (problem as NodeJS.ErrnoException).code ?? '';
    return code === 'ENOENT'
      ? {state: 'absent', path, why: 'there is no such file'}
      : {state: 'unusable', path, why: `it cannot be read (${code})`};
  }
  const parsed = first(ssh2.utils.parseKey(text, passphrase));
  if (!(parsed instanceof Error)) {
    if (!parsed.isPrivateKey()) return {state: 'unusable', path, why: 'it holds a public key, not a private one'};
    return {state: 'usable', path, key: parsed, public: parsed.getPublicSSH()};
  }
  const encrypted = isEncrypted(text);
  if (!encrypted) return {state: 'unusable', path, why: reasonFor(text, parsed)};
  const publicPart = publicOfOpenSsh(text) ?? (await publicFile(ssh2, `${path}.pub`));
  const why = passphrase === undefined ? 'it is encrypted and no passphrase is given' : 'the passphrase is wrong';
  return {state: 'locked', path, why, public: publicPart};
}

/** A key that an agent holds. `sign` goes through an agent of this one key only, so that each is an attempt of its own. */
export type AgentKey = {readonly agent: BaseAgent; readonly public: Buffer; readonly comment: string};

/** The keys of the agent behind this socket, those it can sign with. *errors*: rejects when it does not answer. */
export async function agentKeys(
  ssh2: Ssh2,
  socket: string,
  onRefusal: (comment: string) => void,
): Promise<readonly AgentKey[]> {
  const agent = ssh2.createAgent(socket);
  const keys = await new Promise<readonly ParsedKey[]>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the agent does not answer')), 5000);
    agent.getIdentities((problem, found) => {
      clearTimeout(timer);
      if (problem instanceof Error) reject(problem);
      else resolve((found ?? []).flatMap((key) => parsedOf(ssh2, key)));
    });
  });
  return keys.map((key) => ({
    agent: singleKeyAgent(ssh2, agent, key, onRefusal),
    public: key.getPublicSSH(),
    comment: key.comment,
  }));
}

function parsedOf(ssh2: Ssh2, key: unknown): readonly ParsedKey[] {
  if (isParsed(key)) return [key];
  const {pubKey} = key as {pubKey?: unknown};
  const inner = isParsed(pubKey) ? pubKey : (pubKey as {pubKey?: unknown} | undefined)?.pubKey;
  if (isParsed(inner)) return [inner];
  const parsed = Buffer.isBuffer(inner) || typeof inner === 'string' ? first(ssh2.utils.parseKey(inner)) : undefined;
  return parsed === undefined || parsed instanceof Error ? [] : [parsed];
}

function isParsed(value: unknown): value is ParsedKey {
  return typeof (value as {getPublicSSH?: unknown} | undefined)?.getPublicSSH === 'function';
}

function singleKeyAgent(
  ssh2: Ssh2,
  agent: BaseAgent,
  only: ParsedKey,
  onRefusal: (comment: string) => void,
): BaseAgent {
  class SingleKeyAgent extends ssh2.BaseAgent {
    override getIdentities(done: (problem: Error | undefined, keys?: ParsedKey[]) => void): void {
      done(undefined, [only]);
    }
    override sign(key: ParsedKey, data: Buffer, options: unknown, done?: unknown): void {
      const answer = (typeof options === 'function' ? options : done) as (
        problem: Error | null,
        signature?: Buffer,
      ) => void;
      const how = (typeof options === 'function' ? {} : options) as object;
      const sign = agent.sign.bind(agent) as (...args: unknown[]) => void;
      sign(key, data, how, (problem: Error | null | undefined, signature?: Buffer) => {
        // An error here would end the whole connection; an empty signature only fails this key.
        if (problem instanceof Error || signature === undefined) {
          onRefusal(only.comment);
          answer(null, Buffer.alloc(64));
        } else answer(null, signature);
      });
    }
  }
  return new SingleKeyAgent();
}

/** `SHA256:…` of a key's public part. */
export function keySha256(publicPart: Buffer): string {
  return fingerprint(publicPart);
}

function first<T>(value: T | readonly T[]): T {
  return Array.isArray(value) ? (value as readonly T[])[0]! : (value as T);
}

function isEncrypted(text: Buffer): boolean {
  const plain = text.toString('latin1');
  if (/^Proc-Type: 4,ENCRYPTED/m.test(plain) || /BEGIN ENCRYPTED PRIVATE KEY/.test(plain)) return true;
  const blob = openSshBlob(plain);
  return blob !== undefined && blob.subarray(15 + 4, 15 + 8).toString('latin1') !== 'none';
}

function reasonFor(text: Buffer, problem: Error): string {
  const plain = text.toString('latin1');
  if (publicTypeOfOpenSsh(plain)?.startsWith('sk-') === true)
    return 'it lives on a security key, which needs "connection: openssh"';
  if (plain.startsWith('ssh-') || plain.startsWith('ecdsa-')) return 'it holds a public key, not a private one';
  if (/BEGIN (CERTIFICATE|PUBLIC KEY)/.test(plain)) return 'it is not a private key';
  return `it is not a key that can be read (${problem.message})`;
}

/** The public part stands unencrypted in the header of OpenSSH's format (PROTOCOL.key). */
function publicOfOpenSsh(text: Buffer): Buffer | undefined {
  const blob = openSshBlob(text.toString('latin1'));
  if (blob === undefined) return undefined;
  let at = 15;
  const next = (): Buffer => {
    const length = blob.readUInt32BE(at);
    const value = blob.subarray(at + 4, at + 4 + length);
    at += 4 + length;
    return value;
  };
  try {
    next();
    next();
    next();
    at += 4;
    return next();
  } catch {
    return undefined;
  }
}

function publicTypeOfOpenSsh(plain: string): string | undefined {
  const key = publicOfOpenSsh(Buffer.from(plain, 'latin1'));
  return key === undefined || key.length < 4 ? undefined : key.toString('latin1', 4, 4 + key.readUInt32BE(0));
}

function openSshBlob(plain: string): Buffer | undefined {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([^-]+)-----END/.exec(plain)?.[1];
  if (body === undefined) return undefined;
  const blob = Buffer.from(body, 'base64');
  return blob.subarray(0, 15).toString('latin1') === 'openssh-key-v1\0' ? blob : undefined;
}

async function publicFile(ssh2: Ssh2, path: string): Promise<Buffer | undefined> {
  const text = await readFile(path).catch(() => undefined);
  const parsed = text === undefined ? undefined : first(ssh2.utils.parseKey(text));
  return parsed === undefined || parsed instanceof Error ? undefined : parsed.getPublicSSH();
}
