import type {X509Spec} from '../kit/op.ts';
import type {Secret} from '../base/secret.ts';

/** Makes certificates on demand; the library behind it is loaded with the first one. */
export class CertificateMaker {
  readonly #now: () => Date;
  readonly #random: (bytes: number) => Uint8Array;
  #maker: Promise<import('./generate.ts').CertificateMaker> | undefined;

  constructor(now: () => Date, random: (bytes: number) => Uint8Array) {
    this.#now = now;
    this.#random = random;
  }

  async make(spec: X509Spec): Promise<string | Secret> {
    this.#maker ??= import('./generate.ts').then((module) => new module.CertificateMaker(this.#now, this.#random));
    return (await this.#maker).make(spec);
  }
}
