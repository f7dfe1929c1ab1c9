import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

/** Collects all garbage. */
export const collectGarbage = runInNewContext('gc') as () => void;

function memory(): number {
  collectGarbage();
  // Buffers are freed by another thread; the next collection waits for it.
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/**
 * The memory that the result of a run takes, in bytes: the least of three runs, because whatever else goes on in the process adds
 * to it.
 */
export async function memoryOf(run: () => unknown): Promise<number> {
  const growths: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const before = memory();
    const result = await run();
    growths.push(memory() - before);
    // Keeps it alive until here.
    if (result === memory) throw new Error('never');
  }
  return Math.min(...growths);
}
