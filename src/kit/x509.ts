import {X509Certificate, createPrivateKey} from 'node:crypto';
import {isIP, isIPv6} from 'node:net';
import {reveal, type Secret} from '../base/secret.ts';

/** A parsed certificate. Times in ms since the epoch; `names` lower case, sorted, IP addresses in their shortest form. */
export type Certificate = {
  readonly subject: string;
  readonly issuer: string;
  readonly names: readonly string[];
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** SHA-256 over the DER form, as openssl prints it */
  readonly fingerprint: string;
  readonly isCa: boolean;
  readonly pem: string;
};

/** The first certificate of a PEM text; undefined where there is none that can be read. */
export function parseCertificate(pem: string | Uint8Array): Certificate | undefined {
  try {
    const x509 = new X509Certificate(typeof pem === 'string' ? pem : Buffer.from(pem));
    return {
      subject: x509.subject.replaceAll('\n', ', '),
      issuer: x509.issuer.replaceAll('\n', ', '),
      names: namesOf(x509.subjectAltName),
      notBeforeMs: Date.parse(x509.validFrom),
      notAfterMs: Date.parse(x509.validTo),
      fingerprint: x509.fingerprint256,
      isCa: x509.ca,
      pem: x509.toString(),
    };
  } catch {
    return undefined;
  }
}

/** Names and addresses in one spelling, sorted, each once: for comparing what is wanted with what a certificate holds. */
export function certificateNames(names: readonly string[]): readonly string[] {
  return [...new Set(names.map(oneSpelling))].sort();
}

/** Whether a private key (PEM, unencrypted) is the one of a certificate. */
export function keyMatches(certificate: Certificate, key: string | Secret): boolean {
  try {
    return new X509Certificate(certificate.pem).checkPrivateKey(createPrivateKey(reveal(key)));
  } catch {
    return false;
  }
}

/** Whether `ca` is a CA certificate that has signed `certificate`. Times are not looked at. */
export function signedBy(certificate: Certificate, ca: Certificate): boolean {
  try {
    const [leaf, authority] = [new X509Certificate(certificate.pem), new X509Certificate(ca.pem)];
    return ca.isCa && leaf.checkIssued(authority) && leaf.verify(authority.publicKey);
  } catch {
    return false;
  }
}

/** *shape*: `DNS:kvm1.lab, IP Address:10.0.0.1`, as Node prints it; a name that needs quoting comes as a JSON string. */
function namesOf(text: string | undefined): readonly string[] {
  const found = [...(text ?? '').matchAll(/(?:DNS|IP Address):("(?:[^"\\]|\\.)*"|[^,]*)/g)].map(([, name = '']) =>
    name.startsWith('"') ? (JSON.parse(name) as string) : name.trim(),
  );
  return certificateNames(found);
}

function oneSpelling(name: string): string {
  if (isIP(name) === 0) return name.toLowerCase();
  return isIPv6(name) ? new URL(`http://[${name}]`).hostname.slice(1, -1) : name;
}
