import type { RawRequest } from '../core/raw-request.ts';

/** The formats of STS responses. */
export type WireFormat = 'xml' | 'json';

/** XML namespace of every STS document, which ends in the API version. */
export const stsNamespace = 'https://sts.amazonaws.com/doc/2011-06-15/';

/** `Content-Type` of a response. */
export const contentTypes: Readonly<Record<WireFormat, string>> = {
  xml: 'text/xml',
  json: 'application/json',
};

/** Clients name a few types. A head of a stranger has room for thousands. */
const maxRanges = 16;

/**
 * The format that the client asks for: JSON when its `Accept` names `application/json` before any XML type, otherwise XML. Only
 * the first 16 types of each header count.
 */
export function wireFormat(raw: RawRequest): WireFormat {
  for (const value of raw.headers.getAll('accept')) {
    for (const range of value.split(',', maxRanges)) {
      const type = range.split(';', 1)[0]?.trim().toLowerCase();
      if (type === 'application/json') return 'json';
      if (type === 'text/xml' || type === 'application/xml') return 'xml';
    }
  }
  return 'xml';
}
