import type { App } from '../app.ts';
import type { ReloadTrigger } from './configuration-watch.ts';
import { fitsIntoHeap } from './garbage-collection.ts';

/**
 * Memory that a reload takes for each byte of the files, beside the configuration in force: their YAML, and what becomes of it
 * (measured 2026-11 on Node 20).
 */
const heapBytesPerByte = 80;
/** What requests in progress may need meanwhile. V8's limit includes the young generation, which has no room for what lives. */
const heapReserve = 64 * 1024 * 1024;

/**
 * Tells whether the heap has room for one more configuration. If not, requests that hold earlier ones are reset, and the log says
 * once that the reload waits: the configuration in force must not end with the process.
 */
export function roomForReload(
  app: Pick<App, 'reload' | 'endEarlier'>,
): (fileBytes: number, trigger: ReloadTrigger) => boolean {
  let isWaiting = false;
  return (fileBytes, trigger) => {
    const bytes = heapReserve + heapBytesPerByte * fileBytes;
    if (fitsIntoHeap(bytes)) {
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
