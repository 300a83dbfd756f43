import 'reflect-metadata';
import {mkdir, open, readFile, rename} from 'node:fs/promises';
import {webcrypto} from 'node:crypto';
import {isIP} from 'node:net';
import path from 'node:path';
import * as x509 from '@peculiar/x509';
import {Secret} from '../base/secret.ts';
import type {X509Spec} from '../kit/op.ts';

const algorithm = {name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256'} as const;
const dayMs = 86_400_000;

type Pair = {readonly certificate: string; readonly key: Secret; readonly ca: string};

/**
 * Makes X.509 server certificates on the controller, signed by the site's CA, which is made (key 0600) where there is none.
 * The CA's key never leaves the controller. *source*: RFC 5280; libvirt's and SPICE's TLS set-up (server certificate with SAN, EKU serverAuth).
 */
export class CertificateMaker {
  readonly #made = new Map<string, Promise<Pair>>();
  #authority: Promise<{certificate: x509.X509Certificate; key: webcrypto.CryptoKey; pem: string}> | undefined;
  readonly #now: () => Date;
  readonly #random: (bytes: number) => Uint8Array;

  constructor(now: () => Date, random: (bytes: number) => Uint8Array) {
    this.#now = now;
    this.#random = random;
    x509.cryptoProvider.set(webcrypto as never);
  }

  /** One part of a pair; the parts of one id belong together. The key is a Secret. */
  async make(spec: X509Spec): Promise<string | Secret> {
    if (spec.part === 'ca') return (await this.#ca(spec)).pem;
    let pair = this.#made.get(spec.id);
    if (pair === undefined) this.#made.set(spec.id, (pair = this.#server(spec)));
    const {certificate, key} = await pair;
    return spec.part === 'key' ? key : certificate;
  }

  async #server(spec: X509Spec): Promise<Pair> {
    const ca = await this.#ca(spec);
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const now = this.#now();
    const last = ca.certificate.notAfter.getTime();
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: this.#serial(),
      subject: `CN=${spec.names[0] ?? 'server'}`,
      issuer: ca.certificate.subject,
      notBefore: new Date(now.getTime() - 5 * 60_000),
      notAfter: new Date(Math.min(now.getTime() + spec.validDays * dayMs, last)),
      signingKey: ca.key as never,
      publicKey: keys.publicKey as never,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(
          spec.names.map((name) => ({type: isIP(name) === 0 ? 'dns' : 'ip', value: name}) as const),
        ),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
        await x509.AuthorityKeyIdentifierExtension.create(ca.certificate.publicKey),
      ],
    });
    const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
    return {
      certificate: pem('CERTIFICATE', Buffer.from(certificate.rawData)),
      key: Secret.of(pem('PRIVATE KEY', pkcs8)),
      ca: ca.pem,
    };
  }

  #ca(spec: X509Spec): Promise<{certificate: x509.X509Certificate; key: webcrypto.CryptoKey; pem: string}> {
    this.#authority ??= this.#readOrMakeCa(spec);
    return this.#authority;
  }

  async #readOrMakeCa(
    spec: X509Spec,
  ): Promise<{certificate: x509.X509Certificate; key: webcrypto.CryptoKey; pem: string}> {
    const existing = await Promise.all([readFile(spec.caCert, 'utf8'), readFile(spec.caKey, 'utf8')]).catch(
      (error: unknown) => {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      },
    );
    if (existing !== undefined) {
      const [certPem, keyPem] = existing;
      const certificate = new x509.X509Certificate(certPem);
      return {certificate, key: await importKey(keyPem, spec.caKey), pem: certPem};
    }
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const now = this.#now();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: this.#serial(),
      name: 'CN=tsplay site CA',
      notBefore: new Date(now.getTime() - 5 * 60_000),
      notAfter: new Date(now.getTime() + 3650 * dayMs),
      keys: keys as never,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    const certPem = pem('CERTIFICATE', Buffer.from(certificate.rawData));
    const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
    await writePrivate(spec.caKey, pem('PRIVATE KEY', pkcs8), 0o600);
    await writePrivate(spec.caCert, certPem, 0o644);
    return {certificate, key: keys.privateKey, pem: certPem};
  }

  /** *source*: RFC 5280 4.1.2.2: positive, at most 20 octets. */
  #serial(): string {
    const bytes = this.#random(16);
    bytes[0] = (bytes[0]! & 0x7f) | 0x40;
    return Buffer.from(bytes).toString('hex');
  }
}

/** An EC (PKCS#8 or SEC1) or RSA key, as OpenSSL writes them too. */
async function importKey(text: string, file: string): Promise<webcrypto.CryptoKey> {
  const {createPrivateKey} = await import('node:crypto');
  const key = createPrivateKey(text);
  const der = key.export({type: 'pkcs8', format: 'der'});
  if (key.asymmetricKeyType === 'ec') {
    const curve = {prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521'}[
      key.asymmetricKeyDetails?.namedCurve ?? ''
    ];
    if (curve !== undefined)
      return webcrypto.subtle.importKey('pkcs8', der, {name: 'ECDSA', namedCurve: curve}, true, ['sign']);
  }
  if (key.asymmetricKeyType === 'rsa')
    return webcrypto.subtle.importKey('pkcs8', der, {name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256'}, true, ['sign']);
  throw new Error(
    `${file}: a CA key of type ${key.asymmetricKeyType ?? 'unknown'} is not supported; EC (P-256, P-384, P-521) and RSA are`,
  );
}

function pem(label: string, der: Buffer): string {
  return `-----BEGIN ${label}-----\n${der.toString('base64').replace(/(.{64})(?=.)/g, '$1\n')}\n-----END ${label}-----\n`;
}

/** Atomic, and never readable by others on the way. */
async function writePrivate(file: string, text: string, mode: number): Promise<void> {
  await mkdir(path.dirname(file), {recursive: true, mode: 0o700});
  const candidate = `${file}.tmp-${process.pid}`;
  const handle = await open(candidate, 'wx', mode);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(candidate, file);
}
