import { uriEncode } from '../../core/uri-encode.ts';
import { compareKeys } from './contents.ts';
import { storeError } from './errors.ts';
import type { StoreCall } from './store-call.ts';

/** Something with a key, to be listed. */
export interface Listed {
  readonly key: string;
}

/** What to list. */
export interface ListingQuery {
  readonly prefix: string;
  /** Empty for none. */
  readonly delimiter: string;
  /** Common prefixes up to and including this one are left out; empty for none. */
  readonly after: string;
  readonly maxItems: number;
}

/** One page of a listing. */
export interface Listing<T> {
  readonly entries: readonly T[];
  readonly commonPrefixes: readonly string[];
  readonly isTruncated: boolean;
  /** The last entry or common prefix of the page, whichever came last. */
  readonly last: { readonly name: string; readonly entry: T | undefined } | undefined;
}

/**
 * Lists entries that are sorted and start after the marker already. Keys that share a prefix up to the delimiter
 * are rolled up; an entry and a common prefix each count as one item.
 */
export function listEntries<T extends Listed>(sorted: Iterable<T>, query: ListingQuery): Listing<T> {
  const entries: T[] = [];
  const commonPrefixes: string[] = [];
  let last: Listing<T>['last'];
  for (const entry of sorted) {
    if (!entry.key.startsWith(query.prefix)) continue;
    const rolledUp = commonPrefixOf(entry.key, query);
    if (rolledUp !== undefined) {
      const isKnown = rolledUp === commonPrefixes.at(-1) || compareKeys(rolledUp, query.after) <= 0;
      if (isKnown) continue;
    }
    if (entries.length + commonPrefixes.length >= query.maxItems) {
      return { entries, commonPrefixes, isTruncated: query.maxItems > 0, last };
    }
    if (rolledUp === undefined) entries.push(entry);
    else commonPrefixes.push(rolledUp);
    last = rolledUp === undefined ? { name: entry.key, entry } : { name: rolledUp, entry: undefined };
  }
  return { entries, commonPrefixes, isTruncated: false, last };
}

function commonPrefixOf(key: string, { prefix, delimiter }: ListingQuery): string | undefined {
  if (delimiter === '') return undefined;
  const end = key.indexOf(delimiter, prefix.length);
  return end < 0 ? undefined : key.slice(0, end + delimiter.length);
}

/** How names stand in the answer, from `encoding-type`. Throws InvalidArgument. */
export interface NameEncoding {
  readonly encodingType: 'url' | undefined;
  encode(name: string): string;
}

/** Reads `encoding-type`: only `url` exists, and it is how a name that XML cannot carry is listed. */
export function readNameEncoding(call: StoreCall): NameEncoding {
  const type = call.query.get('encoding-type');
  if (type === undefined) return { encodingType: undefined, encode: (name) => name };
  if (type !== 'url') {
    throw storeError('InvalidArgument', {
      message: 'invalid encoding method specified in request',
      fields: { ArgumentName: 'encoding-type', ArgumentValue: type },
    });
  }
  return { encodingType: 'url', encode: (name) => uriEncode(name, true) };
}
