import type { Socket } from 'node:net';
import { httpDate } from '../core/clock.ts';
import { HeaderList } from '../core/header-list.ts';
import type { RawRequest } from '../core/raw-request.ts';
import { renderS3Error } from '../s3/error-xml.ts';
import { renderStsError } from '../sts/error-xml.ts';
import { HeadFault, type HeadReason, headError } from './head-fault.ts';
import type { RequestTrace } from './request-trace.ts';

/** An error of Node's HTTP parser. */
export interface ParserError extends NodeJS.ErrnoException {
  /** The bytes it was parsing. */
  readonly rawPacket?: Buffer;
}

const reasons: ReadonlyMap<string | undefined, HeadReason> = new Map([
  ['HPE_HEADER_OVERFLOW', 'head_too_large'],
  ['ERR_HTTP_REQUEST_TIMEOUT', 'head_too_late'],
]);

/** Answers a head that the HTTP parser could not read, as STS or S3, whichever it looks like, and closes the connection. */
export function answerUnreadable(
  error: ParserError,
  socket: Socket,
  trace: RequestTrace,
  nowMs: number,
): void {
  const protocol = seemsSts(error) ? 'sts' : 's3';
  const fault = headError(new HeadFault(reasons.get(error.code) ?? 'syntax'), protocol);
  trace.add({
    status: fault.status,
    errorCode: fault.code,
    ...(protocol === 'sts' ? { service: 'sts' } : {}),
  });
  const { contentType, body } =
    protocol === 'sts'
      ? renderStsError(fault, headless(trace, nowMs))
      : { contentType: 'application/xml', body: renderS3Error(fault, '', trace.requestId) };
  const idHeader = protocol === 'sts' ? 'x-amzn-RequestId' : 'x-amz-request-id';
  socket.end(
    `HTTP/1.1 ${fault.status} Bad Request\r\ndate: ${httpDate(nowMs)}\r\ncontent-type: ${contentType}\r\n` +
      `${idHeader}: ${trace.requestId}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

// A guess from the request line, if it is in the packet that failed.
function seemsSts({ rawPacket }: ParserError): boolean {
  const start = rawPacket?.subarray(0, 1024).toString('latin1') ?? '';
  return /^(?:POST \/ |(?:GET|POST) \/\?(?:[^ ]*&)?Action=)/.test(start);
}

function headless({ requestId, sourceIp }: RequestTrace, receivedAtMs: number): RawRequest {
  return {
    method: '',
    path: '/',
    query: '',
    parameters: [],
    headers: new HeaderList([]),
    clientAddress: sourceIp,
    isSecure: false,
    receivedAtMs,
    requestId,
  };
}
