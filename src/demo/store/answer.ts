import { ServiceError } from '../../core/service-error.ts';
import { writeXml, type XmlContent } from '../../core/xml.ts';
import { storeError } from './errors.ts';

/** One finished answer; bodies are whole, so its length is always known. */
export interface Answer {
  readonly status: number;
  /** Lower-case names; `content-length` is added when the answer is sent. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/';
const noBody = new Uint8Array(0);

/** An answer without a body. */
export function emptyAnswer(status: number, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers, body: noBody };
}

/** A 200 answer with an S3 XML document. */
export function xmlAnswer(
  root: string,
  content: XmlContent,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const body = Buffer.from(writeXml(root, content, namespace), 'utf8');
  return { status: 200, headers: { ...headers, 'content-type': 'application/xml' }, body };
}

/** Renders a refusal as S3's `<Error>`; anything but a {@link ServiceError} becomes a plain InternalError. */
export function errorAnswer(failure: unknown, resource: string, requestId: string): Answer {
  const error = failure instanceof ServiceError ? failure : storeError('InternalError');
  const { code, message, fields, status } = error;
  const document = writeXml('Error', {
    Code: code,
    Message: message,
    ...fields,
    Resource: resource,
    RequestId: requestId,
    HostId: 'demo-store',
  });
  const size = fields['ActualObjectSize'];
  return {
    status,
    headers: {
      'content-type': 'application/xml',
      ...(size === undefined ? {} : { 'content-range': `bytes */${size}` }),
    },
    body: Buffer.from(document, 'utf8'),
  };
}
