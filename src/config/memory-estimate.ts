import type { Settings } from './settings.ts';

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

/** Memory in bytes: of JavaScript objects, which V8's heap bounds, and of everything else. */
export interface MemoryShare {
  readonly heap: number;
  readonly outside: number;
}

/**
 * Measured on Node 24 with a heap of 128 MiB, in resident memory, and rounded up: 105 MiB when idle; 13 KiB for each of
 * 8,000 connections kept alive; 45 KiB for each of 1,000 downloads whose clients do not read; 112 KiB for each of 500
 * uploads whose store does not read. A request whose head is as long as heads may be takes 90 KiB of heap.
 */
const idle: MemoryShare = { heap: 40 * mebibyte, outside: 70 * mebibyte };
/** Sessions and policies that are kept in parsed form, heads outside the places of requests, and requests that wait their turn. */
const bounded: MemoryShare = { heap: (24 + 16 + 8) * mebibyte, outside: 0 };
const perConnection: MemoryShare = { heap: 4 * kibibyte, outside: 12 * kibibyte };
/**
 * 30 KiB with TLS, and 34 KiB more while a record of 16 KiB is unfinished, which may last as long as a connection may be idle (Node 20,
 * 1,500 kept alive).
 */
const perSecureConnection: MemoryShare = { heap: 8 * kibibyte, outside: 58 * kibibyte };
/** Handshakes under way: 256 whose clients send as many certificates as OpenSSL reads. */
const handshakes: MemoryShare = { heap: 0, outside: 40 * mebibyte };
const perRequest: MemoryShare = { heap: 90 * kibibyte, outside: 96 * kibibyte };

/** A growing buffer exists twice while it is copied. */
const bufferFactor = 1.25;

/** Factor for garbage that has not been collected yet. */
const garbageFactor = 1.25;

type Limits = Pick<Settings['server']['limits'], 'maxConnections' | 'maxInFlight' | 'maxBufferedBytes'>;

/** What else takes memory, beside what the limits say. */
export interface OtherNeeds {
  /** True when connections have TLS. */
  readonly isSecure?: boolean;
  /** Bytes of audit records that may wait, for all sinks together. */
  readonly auditBytes?: number;
}

/** What the process needs when every limit is reached. */
export function estimateMemory(
  limits: Limits,
  { isSecure = false, auditBytes = 0 }: OtherNeeds = {},
): MemoryShare {
  const { maxConnections, maxInFlight, maxBufferedBytes } = limits;
  const connection = isSecure ? perSecureConnection : perConnection;
  const sum = (part: keyof MemoryShare): number =>
    idle[part] +
    bounded[part] +
    (isSecure ? handshakes[part] : 0) +
    maxConnections * connection[part] +
    maxInFlight * perRequest[part];
  return { heap: sum('heap') + auditBytes, outside: sum('outside') + maxBufferedBytes * bufferFactor };
}

/** The memory that a process may take. */
export interface MemoryLimits {
  /** Of its container; `undefined` when nothing but the machine bounds it. */
  readonly containerBytes: number | undefined;
  /** All spaces of V8's heap together. */
  readonly heapBytes: number;
}

/** Messages about `server.limits` that need more memory than there is. */
export function memoryFaults(
  limits: Limits,
  { containerBytes, heapBytes }: MemoryLimits,
  others: OtherNeeds = {},
): string[] {
  const need = estimateMemory(limits, others);
  const faults: string[] = [];
  const total = need.heap + need.outside;
  if (containerBytes !== undefined && total > containerBytes) {
    faults.push(
      `may need ${shown(total)}, and the container has ${shown(containerBytes)}: ` +
        `lower maxConnections, maxInFlight or maxBufferedBytes, or raise the container's memory limit`,
    );
  }
  if (need.heap * garbageFactor > heapBytes) {
    faults.push(
      `may need a heap of ${shown(need.heap * garbageFactor)}, and V8's ends at ${shown(heapBytes)}: ` +
        'lower maxConnections or maxInFlight, or raise --max-old-space-size in NODE_OPTIONS',
    );
  }
  const besideHeap = idle.outside + limits.maxBufferedBytes;
  if (containerBytes !== undefined && heapBytes + besideHeap > containerBytes) {
    faults.push(
      `leave no room for V8's heap, which may grow to ${shown(heapBytes)} in a container of ` +
        `${shown(containerBytes)}: set NODE_OPTIONS="${heapOptions(containerBytes)}", or lower maxBufferedBytes`,
    );
  }
  return faults;
}

/** Node's options for the heap of a container: two fifths for the old space, and a young space that need not shrink. */
function heapOptions(containerBytes: number): string {
  const oldSpace = Math.floor((containerBytes * 0.4) / mebibyte);
  return `--max-old-space-size=${oldSpace} --max-semi-space-size=16`;
}

function shown(bytes: number): string {
  return `${Math.ceil(bytes / mebibyte)} MiB`;
}
