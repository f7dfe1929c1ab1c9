import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';

/** A certificate, and the names of the clients that are shown it. */
export interface NamedOptions {
  /** In lower case. `*.` stands for one label. */
  readonly names: readonly string[];
  readonly options: SecureContextOptions;
}

/** Finds the certificate for the name that a client asks for (RFC 6066, section 3). */
export class CertificatesByName {
  readonly #contexts = new Map<string, SecureContext>();

  /** @throws Error for a certificate or key that cannot be used */
  constructor(certificates: readonly NamedOptions[]) {
    for (const { names, options } of certificates) {
      const context = createSecureContext(options);
      // Of several certificates for a name the first counts.
      for (const name of names) if (!this.#contexts.has(name)) this.#contexts.set(name, context);
    }
  }

  /** The certificate of a name, or the one for all names with another first label (RFC 6125, section 6.4.3). */
  find(asked: string): SecureContext | undefined {
    const name = asked.toLowerCase();
    const dot = name.indexOf('.');
    return this.#contexts.get(name) ?? (dot > 0 ? this.#contexts.get(`*${name.slice(dot)}`) : undefined);
  }
}
