import { z } from 'zod';
import type { Reading } from './reading.ts';
import { regionName, textLike } from './scalars.ts';
import type { AccountSettings } from './settings.ts';

const shape = z.strictObject({
  id: textLike(/^\d{12}$/, 'must be 12 digits in quotes'),
  partition: z.enum(['aws', 'aws-cn', 'aws-us-gov']).default('aws'),
  region: regionName.default('us-east-1'),
  allowedRegions: z.array(regionName).default([]),
  disabledRegions: z.array(regionName).default([]),
});

/** Reads `account`. */
export function readAccount(reading: Reading): AccountSettings | undefined {
  const account = reading.read(['account'], shape);
  const position = account?.disabledRegions.indexOf(account.region) ?? -1;
  if (position !== -1) {
    const message = 'must not be account.region: requests that name no region count as made there';
    reading.problem(['account', 'disabledRegions', position], message);
  }
  return account;
}
