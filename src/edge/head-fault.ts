import { ServiceError } from '../core/service-error.ts';

/** Why a head is refused before the request is routed. */
export type HeadReason =
  | 'target'
  | 'host'
  | 'header_too_long'
  | 'too_many_headers'
  | 'too_many_parameters'
  | 'forwarded_header'
  | 'transfer_coding'
  | 'expectation'
  | 'syntax'
  | 'head_too_large'
  | 'head_too_late';

type Row = readonly [code: string, status: number];

interface Rendering {
  readonly s3: Row;
  readonly sts: Row;
  readonly text: string;
}

/** Code and status of each reason in both protocols. */
const table: Readonly<Record<HeadReason, Rendering>> = {
  target: {
    s3: ['InvalidURI', 400],
    sts: ['MalformedQueryString', 404],
    text: "Couldn't parse the specified URI.",
  },
  host: {
    s3: ['InvalidRequest', 400],
    sts: ['ValidationError', 400],
    text: 'Exactly one Host header is required.',
  },
  header_too_long: {
    s3: ['InvalidRequest', 400],
    sts: ['ValidationError', 400],
    text: 'A header is too long.',
  },
  too_many_headers: {
    s3: ['RequestHeaderSectionTooLarge', 400],
    sts: ['ValidationError', 400],
    text: 'Your request has too many headers.',
  },
  too_many_parameters: {
    s3: ['InvalidArgument', 400],
    sts: ['ValidationError', 400],
    text: 'Your request has too many query parameters.',
  },
  forwarded_header: {
    s3: ['InvalidRequest', 400],
    sts: ['ValidationError', 400],
    text: 'A header of the proxy in front cannot be read.',
  },
  // RFC 9112, section 6.1: an unknown coding hides where the body ends.
  transfer_coding: {
    s3: ['NotImplemented', 501],
    sts: ['ValidationError', 400],
    text: 'The only transfer coding supported is chunked.',
  },
  expectation: {
    s3: ['ExpectationFailed', 417],
    sts: ['ExpectationFailed', 417],
    text: 'The only expectation supported is 100-continue.',
  },
  syntax: {
    s3: ['BadRequest', 400],
    sts: ['MalformedQueryString', 400],
    text: 'The request could not be read.',
  },
  head_too_large: {
    s3: ['RequestHeaderSectionTooLarge', 400],
    sts: ['ValidationError', 400],
    text: 'Your request header section exceeds the maximum allowed size.',
  },
  head_too_late: {
    s3: ['RequestTimeout', 400],
    sts: ['ValidationError', 400],
    text: 'Your socket connection to the server was not read from or written to within the timeout period.',
  },
};

/** A head that cannot be served; {@link headError} maps it to a protocol's error. */
export class HeadFault extends Error {
  override readonly name = 'HeadFault';
  readonly reason: HeadReason;
  /** The public text; that of the reason when absent. */
  readonly text: string | undefined;

  constructor(reason: HeadReason, text?: string) {
    super(reason);
    this.reason = reason;
    this.text = text;
  }
}

/** Code, status and usual text of every head fault, for documentation. */
export function headErrorTable(protocol: 's3' | 'sts'): readonly (readonly [string, number, string])[] {
  return Object.values(table).map(({ [protocol]: [code, status], text }) => [code, status, text]);
}

/** The error for a head fault in the protocol that the request seems to use. */
export function headError({ reason, text }: HeadFault, protocol: 's3' | 'sts'): ServiceError {
  const row = table[reason];
  const [code, status] = row[protocol];
  return new ServiceError(code, status, text ?? row.text);
}
