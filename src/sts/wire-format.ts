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

/** The format that the client asks for: JSON when its `Accept` names `application/json` before any XML type, otherwise XML. */
export function wireFormat(raw: RawRequest): WireFormat {
  for (const value of raw.headers.getAll('accept')) {
    for (const range of value.split(',')) {
      const type = range.split(';', 1)[0]?.trim().toLowerCase();
      if (type === 'application/json') return 'json';
      if (type === 'text/xml' || type === 'application/xml') return 'xml';
    }
  }
  return 'xml';
}
