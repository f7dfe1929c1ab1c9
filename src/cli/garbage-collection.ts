import { performance } from 'node:perf_hooks';
import { getHeapSpaceStatistics, getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Sets how V8 collects garbage, for the whole process.
 *
 * It marks the heap in one go. Objects on their way are memory outside V8's heap, and V8 answers its growth by marking the
 * heap step by step. Under load this never ends: what is allocated meanwhile survives, counts as growth again, and doubles the
 * CPU time of a large object (`docs/decisions/0016`).
 *
 * Every object is allocated in the young generation. V8 would allocate directly in the old one what often survives there, which
 * under load are parts of requests. Once dead, these keep all young objects alive that they refer to, until the next full
 * collection, and so more survives: young collections then take eight times as long, and a request twice the CPU time.
 */
export function tuneGarbageCollection(): void {
  setFlagsFromString('--no-incremental-marking');
  setFlagsFromString('--no-allocation-site-pretenuring');
}

const checkEveryMs = 1_000;
/** The program is quiet when the event loop is busy for less than this part of the time. */
const quietUtilization = 0.25;
/**
 * Bytes beyond the least that a collection left that make another one worth its price: a pause of some 30 ms, and half the
 * throughput for the first seconds of the next load, because V8 drops optimized code whose objects have died. Ordinary load
 * stays below, since V8 collects then.
 */
const burstGrowth = 64 * 1024 * 1024;
/**
 * Collections in the quiet moments after a burst. The memory of a socket or a parser is freed after the collection that finds
 * it dead, and what clients left open ends some seconds later.
 */
const collectionsAfterBurst = 3;
const betweenCollectionsMs = 5_000;

/**
 * Collects garbage in quiet moments after a burst, so that memory goes back (`docs/decisions/0027`). V8 itself collects when
 * it needs memory and keeps what a burst left until the next one; its own reducer works with incremental marking only.
 * A limit that acts is the sign of a burst, and so is growth by `burstGrowth`.
 *
 * @param limitActions - Tells how often a limit has acted since the start.
 */
export function collectWhenQuiet(limitActions: () => number): void {
  const collect = collector();
  let due = 0;
  let leastBytes = oldBytes();
  let seenActions = limitActions();
  let checkedAt = performance.eventLoopUtilization();
  let collectedAt = performance.now();
  const check = (): void => {
    const { utilization } = performance.eventLoopUtilization(checkedAt);
    checkedAt = performance.eventLoopUtilization();
    const bytes = oldBytes();
    const actions = limitActions();
    leastBytes = Math.min(leastBytes, bytes);
    if (actions > seenActions || bytes > leastBytes + burstGrowth) due = collectionsAfterBurst;
    seenActions = actions;
    const isQuiet = utilization <= quietUtilization;
    if (due === 0 || !isQuiet || performance.now() < collectedAt + betweenCollectionsMs) return;
    collect();
    collectedAt = performance.now();
    due -= 1;
    leastBytes = oldBytes();
  };
  setInterval(check, checkEveryMs).unref();
}

/**
 * True when that many bytes of objects fit into V8's heap. Collects garbage if it has to.
 * @param bytes beside what the program uses now
 */
export function fitsIntoHeap(bytes: number): boolean {
  if (freeHeapBytes() >= bytes) return true;
  collector()();
  return freeHeapBytes() >= bytes;
}

/** Bytes of live objects in V8's heap, after a collection. */
export function liveHeapBytes(): number {
  collector()();
  return getHeapStatistics().used_heap_size;
}

/** Bytes that objects may still take in V8's heap, without a collection. */
export function freeHeapBytes(): number {
  const { heap_size_limit: limit, used_heap_size: used } = getHeapStatistics();
  return limit - used;
}

/** V8's collector, which is a function of contexts that are made while the flag is set. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  setFlagsFromString('--no-expose-gc');
  return collect;
}

/** Bytes that only a full collection frees: of all spaces but the young one, and of buffers. */
function oldBytes(): number {
  const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
  const { used_heap_size: used, external_memory: external } = getHeapStatistics();
  return used - (young?.space_used_size ?? 0) + external;
}
