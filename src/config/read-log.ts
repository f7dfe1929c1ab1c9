import { z } from 'zod';
import type { Reading } from './reading.ts';
import type { LogSettings } from './settings.ts';

const log = z
  .strictObject({
    level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
    requests: z.boolean().default(true),
    objectKeys: z.enum(['full', 'hash', 'off']).default('full'),
  })
  .prefault({});

/** Reads `log`. */
export function readLog(reading: Reading): LogSettings | undefined {
  return reading.read(['log'], log);
}
