import type { App } from '../app.ts';
import type { ReloadTrigger } from './configuration-watch.ts';
import { fitsIntoHeap } from './garbage-collection.ts';

/** The least memory that a reload takes for each byte of the files: their YAML, and what becomes of it (measured 2026-11 on Node 20). */
const leastPerByte = 80;
/** The same, as a multiple of what the configuration takes that the program has started with. */
const peakFactor = 2.5;
/** What the program takes with the smallest configuration. */
const leastHeap = 2 * 1024 * 1024;
/** What requests in progress may need meanwhile. V8's limit includes the young generation, which has no room for what lives. */
const heapReserve = 64 * 1024 * 1024;

/**
 * Tells whether the heap has room for one more configuration. If not, all caches are emptied. If that is not enough, requests that hold
 * earlier configurations are reset, and the log says once that the reload waits: the configuration in force must not end with the
 * process.
 * @param started the configuration that the program has started with: the heap that it takes, and the length of its files
 */
export function roomForReload(
  app: Pick<App, 'reload' | 'emptyCaches' | 'endEarlier'>,
  started: { readonly heapBytes: number; readonly characters: number },
): (fileBytes: number, trigger: ReloadTrigger) => boolean {
  const perCharacter = Math.max(0, started.heapBytes - leastHeap) / started.characters;
  const perByte = Math.max(leastPerByte, peakFactor * perCharacter);
  let isWaiting = false;
  return (fileBytes, trigger) => {
    const bytes = heapReserve + perByte * fileBytes;
    if (fitsIntoHeap(bytes) || fitsWithoutCaches(app, bytes)) {
      isWaiting = false;
      return true;
    }
    app.endEarlier();
    const needed = `${Math.ceil(bytes / 1024 / 1024)} MiB`;
    const problem = `reading the configuration again may take ${needed} of heap, which are not free: it is tried again, or takes effect at a restart`;
    if (!isWaiting) app.reload({ ok: false, problems: [problem] }, trigger);
    isWaiting = true;
    return false;
  };
}

function fitsWithoutCaches(app: Pick<App, 'emptyCaches'>, bytes: number): boolean {
  app.emptyCaches();
  return fitsIntoHeap(bytes);
}
