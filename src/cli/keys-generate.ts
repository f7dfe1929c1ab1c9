import type { Randomness } from '../core/randomness.ts';
import { exitCodes, type Terminal } from './terminal.ts';

/** Prints a new token key: 32 random bytes in base64. */
export function generateKey(randomness: Randomness, terminal: Terminal): number {
  terminal.data(Buffer.from(randomness.bytes(32)).toString('base64'));
  terminal.prose('Keep this key in a secret store; every replica needs the same key ring.');
  return exitCodes.ok;
}
