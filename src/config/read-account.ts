import { z } from 'zod';
import type { Reading } from './reading.ts';
import { regionName, textLike } from './scalars.ts';
import type { AccountSettings } from './settings.ts';

const account = z.strictObject({
  id: textLike(/^\d{12}$/, 'must be 12 digits in quotes'),
  partition: z.enum(['aws', 'aws-cn', 'aws-us-gov']).default('aws'),
  region: regionName.default('us-east-1'),
  allowedRegions: z.array(regionName).default([]),
});

/** Reads `account`. */
export function readAccount(reading: Reading): AccountSettings | undefined {
  return reading.read(['account'], account);
}
