import { performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { App } from '../app.ts';
import { processMemory } from '../config/sources.ts';
import type { ReloadRoom, ReloadTrigger } from './configuration-watch.ts';
import { fitsIntoHeap, freeHeapBytes } from './garbage-collection.ts';

/**
 * The least memory that the thread takes for each byte of the files, most of it for their YAML (measured 2026-12 on Node 20). What
 * becomes of them in this thread, once the other one has ended, takes about half of it.
 */
const leastPerByte = 88;
/** The same, as a multiple of what the configuration takes that the program has started with. */
const peakFactor = 2.5;
/** What the program takes with the smallest configuration. */
const leastHeap = 2 * 1024 * 1024;
/** What requests in progress may need meanwhile. V8's limit includes the young generation, which has no room for what lives. */
const heapReserve = 64 * 1024 * 1024;
/** What of it is left to requests while the thread reads. The thread takes 24 MiB for the smallest configuration. */
const requestReserve = 24 * 1024 * 1024;
/** What the thread takes for the smallest configuration, its heap and all else. */
const threadBytes = 48 * 1024 * 1024;

type MemoryOfApp = Pick<App, 'reload' | 'emptyCaches' | 'endUnplaced' | 'endEarlier' | 'endBusiest'>;

/** Of how many callers requests are reset at most, after eight attempts, and after which time it begins anew, in milliseconds. */
const mostCallers = 128;
const betweenChainsMs = 600_000;

/** The configuration that the program has started with. */
export interface StartedConfiguration {
  /** The heap that it takes. */
  readonly heapBytes: number;
  /** Of its files. */
  readonly characters: number;
  /** The heap that is left beside it, without any request. */
  readonly freeBytes: number;
}

/** The files of a reload. */
export interface ReloadedFiles {
  readonly fileBytes: number;
  /** Characters of the files of the configuration in force. */
  readonly inForce: number;
}

/** The memory that a reload may take. */
export interface RoomForReload {
  /** Whether it fits into the heap. */
  readonly find: (files: ReloadedFiles, trigger: ReloadTrigger) => ReloadRoom;
  /**
   * The heap that this thread may grow to, and how much of it another thread may take meanwhile: memory is planned for the heap of
   * one thread.
   */
  readonly forThread: () => { readonly heapBytes: number; readonly limitBytes: number };
  /** Whether the container has memory for another thread, beside what the process takes now. */
  readonly hasThread: (fileBytes: number) => boolean;
}

/** The heap that reading files may take beside the configuration in force, and the heap that is there without any request. */
function heapOfReload(
  { fileBytes, inForce }: ReloadedFiles,
  { heapBytes, characters, freeBytes }: StartedConfiguration,
): { readonly needed: number; readonly available: number } {
  const perCharacter = Math.max(0, heapBytes - leastHeap) / characters;
  const perByte = Math.max(leastPerByte, peakFactor * perCharacter);
  return {
    needed: heapReserve + perByte * fileBytes,
    // One that is smaller than the first has made room, and a larger one has taken it.
    available: freeBytes + perCharacter * (characters - inForce),
  };
}

/** A warning where the configuration that the program has started with cannot be read again, whatever requests there are. */
export function reloadWarning(started: StartedConfiguration, fileBytes: number): string | undefined {
  const { needed, available } = heapOfReload({ fileBytes, inForce: started.characters }, started);
  if (needed <= available) return undefined;
  return (
    `warning: reading this configuration again may take ${mebibytes(needed)} of heap, and beside it ${mebibytes(available)} are free: ` +
    'a change takes effect at a restart only, unless --max-old-space-size in NODE_OPTIONS is raised, and the memory limit with it'
  );
}

/**
 * Tells whether the heap has room for one more configuration: the one in force must not end with the process. If not, all caches are
 * emptied, then what strangers hold and requests that hold earlier configurations are reset. If that is not enough, the log says once that the reload waits.
 * The second time, the requests of callers that have very many are reset as well: 300 uploads that never end would keep away the
 * configuration that takes their caller's rights. Where that does not help, it is not done again for a while. Nothing is reset where it
 * would not fit beside the configuration in force without any request either.
 */
export function roomForReload(app: MemoryOfApp, started: StartedConfiguration): RoomForReload {
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
  const find: RoomForReload['find'] = (files, trigger) => {
    const { needed, available } = heapOfReload(files, started);
    if (fitsIntoHeap(needed) || fitsWithoutCaches(app, needed)) {
      isWaiting = false;
      return 'free';
    }
    const canFit = needed <= available;
    if (canFit && (app.endUnplaced() || app.endEarlier() || (isWaiting && endBusiest()))) return 'soon';
    if (!isWaiting) app.reload({ ok: false, problems: [noRoom(needed)] }, trigger);
    isWaiting = true;
    return 'none';
  };
  return { find, forThread: heapForThread, hasThread };
}

function heapForThread(): ReturnType<RoomForReload['forThread']> {
  return { heapBytes: getHeapStatistics().heap_size_limit, limitBytes: freeHeapBytes() - requestReserve };
}

function hasThread(fileBytes: number): boolean {
  const { containerBytes = Number.POSITIVE_INFINITY } = processMemory(getHeapStatistics().heap_size_limit);
  return containerBytes - process.memoryUsage.rss() >= threadBytes + fileBytes * leastPerByte;
}

function noRoom(bytes: number): string {
  return `reading the configuration again may take ${mebibytes(bytes)} of heap, which are not free: it is tried again, or takes effect at a restart`;
}

function mebibytes(bytes: number): string {
  return `${Math.max(0, Math.ceil(bytes / 1024 / 1024))} MiB`;
}

function fitsWithoutCaches(app: MemoryOfApp, bytes: number): boolean {
  app.emptyCaches();
  return fitsIntoHeap(bytes);
}
