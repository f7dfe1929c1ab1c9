import type { DirectoryRecords } from '../directory/records.ts';
import type { PolicyStatement } from '../iam/document.ts';
import { quoteText } from './path.ts';
import type { Reading } from './reading.ts';
import type { Settings } from './settings.ts';

/** What says who may ask without credentials that the sidecar knows; parts that could not be read are `undefined`. */
interface AccessParts {
  readonly backend: Pick<Settings['backend'], 'anonymous' | 'unknownAccessKeys' | 'passthrough'> | undefined;
  readonly directory: Pick<DirectoryRecords, 'bucketPolicies'> | undefined;
}

/** Warns of what clients may do whose credentials the sidecar does not know, or who have none. */
export function warnOfAnonymousAccess(reading: Reading, { backend, directory }: AccessParts): void {
  if (backend?.unknownAccessKeys === 'passthrough')
    reading.warn(
      ['backend', 'unknownAccessKeys'],
      `passthrough: ${leftTo('keys that the sidecar does not know')}`,
    );
  if (backend?.anonymous === 'passthrough')
    reading.warn(['backend', 'anonymous'], `passthrough: ${leftTo('clients without credentials')}`);
  for (const [index, prefix] of (backend?.passthrough ?? []).entries()) {
    const bucket = prefix.split('/')[1] ?? '';
    const message = `GET and HEAD below it reach the store without a decision; so does what the store lets everyone read of a bucket ${quoteText(bucket)}`;
    reading.warn(['backend', 'passthrough', index], message);
  }
  if (backend?.anonymous === 'policy') warnOfOpenBuckets(reading, directory);
}

function leftTo(whom: string): string {
  return `the store's own policies and ACLs decide what ${whom} may do; here only a Deny for everyone in a bucket policy applies to them`;
}

function warnOfOpenBuckets(reading: Reading, directory: AccessParts['directory']): void {
  const open = (directory?.bucketPolicies ?? []).filter(({ document }) =>
    document.statements.some(letsEveryoneChange),
  );
  if (open.length === 0) return;
  const buckets = open.map(({ bucket }) => quoteText(bucket)).join(', ');
  reading.warn(
    ['backend', 'anonymous'],
    `policy: bucket policies let clients without credentials do more than read: ${buckets}`,
  );
}

function letsEveryoneChange({ effect, principals, actions }: PolicyStatement): boolean {
  const isForEveryone = principals?.values.some(({ type }) => type === 'everyone') === true;
  if (effect !== 'Allow' || !isForEveryone) return false;
  return actions.isNegated || !actions.values.every(({ name }) => /^(?:get|list)/.test(name));
}
