import type { Reading } from './reading.ts';
import { sections } from './sections.ts';
import type { Settings } from './settings.ts';

/** Reads `authorization`; warns when refusals are only recorded. */
export function readAuthorization(reading: Reading): Settings['authorization'] | undefined {
  const settings = reading.read(['authorization'], sections.authorization);
  if (settings?.enforcement === 'audit') reading.warn(['authorization', 'enforcement'], auditWarning);
  return settings;
}

/** The warning for every `audit` setting. */
export const auditWarning = 'audit: requests that no identity policy allows are performed and only recorded';
