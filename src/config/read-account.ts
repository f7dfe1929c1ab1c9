import type { Reading } from './reading.ts';
import { sections } from './sections.ts';
import type { Settings } from './settings.ts';

/** Reads `account`. */
export function readAccount(reading: Reading): Settings['account'] | undefined {
  const account = reading.read(['account'], sections.account);
  const position = account?.disabledRegions.indexOf(account.region) ?? -1;
  if (position !== -1) {
    const message = 'must not be account.region: requests that name no region count as made there';
    reading.problem(['account', 'disabledRegions', position], message);
  }
  return account;
}
