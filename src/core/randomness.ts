import { randomBytes } from 'node:crypto';

/** Where random bytes come from; handed in by the composition root so that tests can fix them. */
export interface Randomness {
  /** Returns `length` unpredictable bytes. */
  bytes(length: number): Uint8Array;
}

const poolBytes = 8192;
let pool = Buffer.alloc(0);

/**
 * The operating system's generator. Asked for a few kilobytes at a time, because every request needs eight bytes;
 * no byte is handed out twice or kept after it was.
 */
export const systemRandomness: Randomness = {
  bytes: (length) => {
    if (length > poolBytes) return randomBytes(length);
    if (pool.length < length) pool = randomBytes(poolBytes);
    const taken = Uint8Array.prototype.slice.call(pool, 0, length);
    pool.fill(0, 0, length);
    pool = pool.subarray(length);
    return taken;
  },
};
