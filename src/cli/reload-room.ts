import { performance } from 'node:perf_hooks';
import type { App } from '../app.ts';
import type { ReloadRoom, ReloadTrigger } from './configuration-watch.ts';
import { fitsIntoHeap } from './garbage-collection.ts';

/** The least memory that a reload takes for each byte of the files: their YAML, and what becomes of it (measured 2026-11 on Node 20). */
const leastPerByte = 80;
/** The same, as a multiple of what the configuration takes that the program has started with. */
const peakFactor = 2.5;
/** What the program takes with the smallest configuration. */
const leastHeap = 2 * 1024 * 1024;
/** What requests in progress may need meanwhile. V8's limit includes the young generation, which has no room for what lives. */
const heapReserve = 64 * 1024 * 1024;

type MemoryOfApp = Pick<App, 'reload' | 'emptyCaches' | 'endUnplaced' | 'endEarlier' | 'endBusiest'>;

/** Of how many callers requests are reset at most, after eight attempts, and after which time it begins anew, in milliseconds. */
const mostCallers = 128;
const betweenChainsMs = 600_000;

/**
 * Tells whether the heap has room for one more configuration: the one in force must not end with the process. If not, all caches are
 * emptied, then what strangers hold and requests that hold earlier configurations are reset. If that is not enough, the log says once that the reload waits.
 * The second time, the requests of callers that have very many are reset as well: 300 uploads that never end would keep away the
 * configuration that takes their caller's rights. Where that does not help, it is not done again for a while.
 * @param started the configuration that the program has started with: the heap that it takes, the length of its files, and the heap
 * that it left free
 */
export function roomForReload(
  app: MemoryOfApp,
  started: { readonly heapBytes: number; readonly characters: number; readonly freeBytes: number },
): (fileBytes: number, trigger: ReloadTrigger) => ReloadRoom {
  const perCharacter = Math.max(0, started.heapBytes - leastHeap) / started.characters;
  const perByte = Math.max(leastPerByte, peakFactor * perCharacter);
  let isWaiting = false;
  let chainSince = Number.NEGATIVE_INFINITY;
  let callers = 1;
  // A client with many roles is as many callers, and what has been reset may come back: twice as many each time.
  const endBusiest = (): boolean => {
    const now = performance.now();
    if (now - chainSince > betweenChainsMs) {
      chainSince = now;
      callers = 1;
    }
    if (callers > mostCallers) return false;
    const areEnded = app.endBusiest(callers);
    callers *= 2;
    return areEnded;
  };
  return (fileBytes, trigger) => {
    const bytes = heapReserve + perByte * fileBytes;
    if (fitsIntoHeap(bytes) || fitsWithoutCaches(app, bytes)) {
      isWaiting = false;
      return 'free';
    }
    // Without any request and any configuration.
    const canFit = bytes <= started.freeBytes + started.heapBytes;
    if (canFit && (app.endUnplaced() || app.endEarlier() || (isWaiting && endBusiest()))) return 'soon';
    if (!isWaiting) app.reload({ ok: false, problems: [noRoom(bytes)] }, trigger);
    isWaiting = true;
    return 'none';
  };
}

function noRoom(bytes: number): string {
  const needed = `${Math.ceil(bytes / 1024 / 1024)} MiB`;
  return `reading the configuration again may take ${needed} of heap, which are not free: it is tried again, or takes effect at a restart`;
}

function fitsWithoutCaches(app: MemoryOfApp, bytes: number): boolean {
  app.emptyCaches();
  return fitsIntoHeap(bytes);
}
