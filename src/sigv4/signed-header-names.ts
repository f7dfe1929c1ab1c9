import { flatCopy } from '../core/bytes.ts';
import { maxHeaders } from '../core/header-list.ts';
import { rememberRecent } from '../core/remember-recent.ts';

/** The list of headers that a signature covers. */
export interface SignedHeaderNames {
  /** As sent: it is hashed in this order and spelling. */
  readonly text: string;
  /** Each name once, in that order. */
  readonly lowerCase: readonly string[];
  readonly set: ReadonlySet<string>;
}

/** Most requests of a client have the same list. Longer ones are not remembered, so that a few cannot take much memory. */
const maxRememberedLength = 512;
const parseRemembered = rememberRecent((text: string) => parse(flatCopy(text)));

/** Splits `host;x-amz-date`; `undefined` for an empty or repeated name, or more names than a request may have headers. */
export function parseSignedHeaders(text: string): SignedHeaderNames | undefined {
  return text.length <= maxRememberedLength ? parseRemembered(text) : parse(text);
}

function parse(text: string): SignedHeaderNames | undefined {
  const lowerCase = text.toLowerCase().split(';');
  const set = new Set(lowerCase);
  const isUsable = set.size === lowerCase.length && !set.has('') && set.size <= maxHeaders;
  return isUsable ? { text, lowerCase, set } : undefined;
}
