import { createHash } from 'node:crypto';

/** How long a signature is remembered, in milliseconds: as long as an assertion can be used. */
const rememberedMs = 300_000;

/** Most signatures remembered; the oldest is forgotten first. */
const maxRemembered = 1_024;

/**
 * Signatures that a key of the provider has made, but over something other than the message they came in. A holder of one, such
 * as that of the provider's public metadata, can put it into any number of messages, and each must be canonicalized to find out.
 */
export class RefutedSignatures {
  /** The time of each until which it is remembered, in order. */
  readonly #until = new Map<string, number>();

  /** True when the signature of this canonical SignedInfo was refuted within the last five minutes. */
  has(signedInfo: string, nowMs: number): boolean {
    return (this.#until.get(digestOf(signedInfo)) ?? 0) > nowMs;
  }

  /** Remembers a signature. */
  add(signedInfo: string, nowMs: number): void {
    const digest = digestOf(signedInfo);
    this.#until.delete(digest);
    this.#until.set(digest, nowMs + rememberedMs);
    if (this.#until.size <= maxRemembered) return;
    const [oldest] = this.#until.keys();
    if (oldest !== undefined) this.#until.delete(oldest);
  }
}

function digestOf(signedInfo: string): string {
  return createHash('sha256').update(signedInfo).digest('base64url');
}
