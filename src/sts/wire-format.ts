import type { RawRequest } from '../core/raw-request.ts';

/** The two forms in which STS answers. */
export type WireFormat = 'xml' | 'json';

/** Namespace of every STS document, and the API version at its end. */
export const stsNamespace = 'https://sts.amazonaws.com/doc/2011-06-15/';

/** `Content-Type` of an answer. */
export const contentTypes: Readonly<Record<WireFormat, string>> = {
  xml: 'text/xml',
  json: 'application/json',
};

/**
 * The form the client asks for: JSON when its `Accept` names `application/json` before any XML type, otherwise XML.
 */
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
