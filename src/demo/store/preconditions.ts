import type { HeaderList } from '../../core/header-list.ts';
import type { StoredObject } from './contents.ts';
import { storeError } from './errors.ts';

/** What the conditional headers of a read say; `not-modified` is answered with 304. */
export type ReadOutcome = 'proceed' | 'not-modified';

/**
 * Evaluates the conditional headers of GetObject and HeadObject in the order of RFC 9110 section 13.2.2: an
 * entity-tag condition makes the date condition beside it void. Throws PreconditionFailed.
 */
export function checkReadConditions(headers: HeaderList, object: StoredObject): ReadOutcome {
  const ifMatch = headers.get('if-match');
  const unmodifiedSince = parseHttpDate(headers.get('if-unmodified-since'));
  if (ifMatch !== undefined) {
    if (!matchesEtag(ifMatch, object.etag)) throw failed('If-Match');
  } else if (unmodifiedSince !== undefined && wholeSeconds(object) > unmodifiedSince) {
    throw failed('If-Unmodified-Since');
  }
  const ifNoneMatch = headers.get('if-none-match');
  const modifiedSince = parseHttpDate(headers.get('if-modified-since'));
  if (ifNoneMatch !== undefined) return matchesEtag(ifNoneMatch, object.etag) ? 'not-modified' : 'proceed';
  return modifiedSince !== undefined && wholeSeconds(object) <= modifiedSince ? 'not-modified' : 'proceed';
}

/**
 * Evaluates the conditional headers of a write or delete against what is stored now: `If-None-Match: *` and
 * `If-Match`. Throws PreconditionFailed, NoSuchKey, NotImplemented. Source: AWS "Conditional writes".
 */
export function checkWriteConditions(
  headers: HeaderList,
  key: string,
  current: StoredObject | undefined,
): void {
  const ifMatch = headers.get('if-match');
  const ifNoneMatch = headers.get('if-none-match');
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch !== '*' || ifMatch !== undefined) throw storeError('NotImplemented');
    if (current !== undefined) throw failed('If-None-Match');
  }
  if (ifMatch === undefined) return;
  if (current === undefined) throw storeError('NoSuchKey', { fields: { Key: key } });
  if (!matchesEtag(ifMatch, current.etag)) throw failed('If-Match');
}

function failed(condition: string): Error {
  return storeError('PreconditionFailed', { fields: { Condition: condition } });
}

// Clients send the tag with and without its quotes; S3 accepts both.
function matchesEtag(header: string, etag: string): boolean {
  return header.split(',').some((item) => {
    const tag = item.trim().replace(/^W\//, '');
    return tag === '*' || tag === etag || tag === `"${etag}"`;
  });
}

function wholeSeconds(object: StoredObject): number {
  return Math.floor(object.lastModifiedMs / 1000) * 1000;
}

// A date that does not parse is ignored (RFC 9110 section 13.1.3).
function parseHttpDate(text: string | undefined): number | undefined {
  if (text === undefined || !/^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(text)) {
    return undefined;
  }
  const epochMs = Date.parse(text);
  return Number.isNaN(epochMs) ? undefined : epochMs;
}
