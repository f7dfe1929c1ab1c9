import { memoryFaults } from './memory-estimate.ts';
import type { Reading } from './reading.ts';
import { sections } from './sections.ts';
import type { Settings } from './settings.ts';

/** Reads `server`. */
export function readServer(reading: Reading): Settings['server'] | undefined {
  const settings = reading.read(['server'], sections.server);
  if (settings !== undefined) checkLimits(reading, settings.limits);
  return settings;
}

/** Warns of limits that can never take effect, and of limits that need more memory than there is. */
function checkLimits(reading: Reading, limits: Settings['server']['limits']): void {
  const path = ['server', 'limits'];
  const { maxConnections, maxUnauthenticated } = limits;
  if (maxUnauthenticated >= maxConnections) {
    const message = `is ${maxUnauthenticated}, and maxConnections ${maxConnections}: unauthenticated clients can take them all`;
    reading.warn([...path, 'maxUnauthenticated'], message);
  }
  const { memory } = reading.context.sources;
  if (memory === undefined) return;
  for (const fault of memoryFaults(limits, memory)) reading.warn(path, fault);
}
