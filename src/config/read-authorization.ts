import { z } from 'zod';
import type { Reading } from './reading.ts';
import { enforcements } from './scalars.ts';
import type { AuthorizationSettings } from './settings.ts';

const authorization = z
  .strictObject({
    enforcement: z.enum(enforcements).default('enforce'),
    listBuckets: z.enum(['filtered', 'strict']).default('filtered'),
  })
  .prefault({});

/** Reads `authorization`; warns when refusals are only recorded. */
export function readAuthorization(reading: Reading): AuthorizationSettings | undefined {
  const settings = reading.read(['authorization'], authorization);
  if (settings?.enforcement === 'audit') reading.warn(['authorization', 'enforcement'], auditWarning);
  return settings;
}

/** The warning for every `audit` setting. */
export const auditWarning = 'audit: requests that no identity policy allows are performed and only recorded';
