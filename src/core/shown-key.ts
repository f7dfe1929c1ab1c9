import { createHash } from 'node:crypto';

/** How object keys are shown to those who operate the sidecar (`log.objectKeys`). */
export type KeyVisibility = 'full' | 'hash' | 'off';

/** An object key as logs and traces have it; `undefined` without one. The hash is the beginning of its SHA-256, 16 digits. */
export function shownKey(key: string | undefined, visibility: KeyVisibility): string | undefined {
  if (key === undefined || key === '' || visibility === 'off') return undefined;
  return visibility === 'full' ? key : createHash('sha256').update(key).digest('hex').slice(0, 16);
}
