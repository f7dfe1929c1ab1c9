import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const everyMs = 5_000;
/** Part of the time in which the event loop may be at work for the process to count as quiet. */
const quietPart = 0.1;
/** Resident memory may grow by as much over what is needed before it is worth a collection. */
const worthwhile = 1.15;

/**
 * Collects garbage when the process is quiet and holds more memory than it needs, for example after an attack. V8 gives
 * memory back by itself only with incremental marking, which `serve` turns off (`docs/decisions/0016`).
 */
export function giveMemoryBackWhenQuiet(): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect !== 'function') return;
  let neededBytes = 0;
  let utilization = performance.eventLoopUtilization();
  setInterval(() => {
    const since = performance.eventLoopUtilization(utilization);
    utilization = performance.eventLoopUtilization();
    if (since.utilization > quietPart || process.memoryUsage.rss() < neededBytes * worthwhile) return;
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    neededBytes = process.memoryUsage.rss();
  }, everyMs).unref();
}
