import { Worker } from 'node:worker_threads';
import type { PassedConfiguration, ReadAgain } from '../config/passed-configuration.ts';

/**
 * Reads the configuration again in a thread of its own, which has ended when the result is there.
 * @param heapBytes the most that the thread may take
 * @param signal ends the thread
 * @throws an error whose text could quote a secret, when the thread fails or takes more
 */
export type ReadElsewhere = (
  request: ReadAgain,
  heapBytes: number,
  signal: AbortSignal,
) => Promise<PassedConfiguration>;

const mebibyte = 1024 * 1024;
/** Counts towards the heap, and has no room for what lives: a large one would leave too little for that. */
const mostYoungMiB = 16;

/** {@link ReadElsewhere} with a worker thread. Needs the compiled program. */
export const readInWorker: ReadElsewhere = async (request, heapBytes, signal) => {
  const heapMiB = heapBytes / mebibyte;
  const youngMiB = Math.min(mostYoungMiB, heapMiB / 4);
  const worker = new Worker(new URL('./reload-worker.js', import.meta.url), {
    workerData: request,
    resourceLimits: { maxOldGenerationSizeMb: heapMiB - youngMiB, maxYoungGenerationSizeMb: youngMiB },
  });
  // A process that has nothing else to do ends.
  worker.unref();
  const end = (): void => void worker.terminate();
  signal.addEventListener('abort', end);
  try {
    return await new Promise<PassedConfiguration>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('messageerror', reject);
      // A thread can report several errors, and one that nobody listens for ends the process.
      worker.on('error', reject);
      worker.once('exit', () => reject(new Error('the thread ended without a result')));
    });
  } finally {
    signal.removeEventListener('abort', end);
    // Its memory is free before the configuration in force gets a successor.
    await worker.terminate();
  }
};
