import { randomBytes } from 'node:crypto';

/** Where random bytes come from; handed in by the composition root so that tests can fix them. */
export interface Randomness {
  /** Returns `length` unpredictable bytes. */
  bytes(length: number): Uint8Array;
}

/** The operating system's generator. */
export const systemRandomness: Randomness = { bytes: (length) => randomBytes(length) };
