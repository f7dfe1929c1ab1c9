import type { IncomingMessage } from 'node:http';
import { AuthenticationFault } from '../core/authentication-fault.ts';
import { BodyFault } from '../core/body-fault.ts';
import { BudgetExhaustedError } from '../core/byte-budget.ts';
import { ClientGoneError } from '../core/client-gone.ts';
import type { AuthenticationFailure } from '../core/request-record.ts';
import { StoreRefusalError, UpstreamFault } from '../forward/faults.ts';
import { renderS3Error } from '../s3/error-xml.ts';
import { type Answer, sendAnswer } from './answer.ts';
import { authenticationFailureLabel } from './authentication-failure-label.ts';
import type { ClientConnection } from './client-connection.ts';
import type { RequestTrace } from './request-trace.ts';
import { toS3Error } from './s3-faults.ts';

const retryAfter = ['retry-after', '1'];

/** A bucket and the longest key, each of its 1,024 bytes escaped. XML escapes can make a path six times as long. */
const maxResource = 3 * 1024 + 258;

/** Answers any error of an S3 request in S3's XML. No other file renders S3 errors. */
export async function answerS3Error(
  error: unknown,
  connection: ClientConnection,
  trace: RequestTrace,
): Promise<void> {
  const { message, response } = connection;
  if (error instanceof ClientGoneError) {
    trace.add({ isAborted: true, status: 499 });
    response.destroy();
    return;
  }
  const fault = toS3Error(error);
  if (error instanceof BudgetExhaustedError) connection.reporter.acted('buffered_bytes');
  trace.add({
    status: fault.status,
    errorCode: fault.code,
    ...authenticationFacts(error),
    ...(fault.detail === undefined ? {} : { errorDetail: fault.detail }),
    ...(error instanceof UpstreamFault ? { upstreamFailure: error.reason } : {}),
    ...(error instanceof StoreRefusalError ? { upstreamStatus: error.hiddenStatus } : {}),
  });
  const answer: Answer = {
    status: fault.status,
    contentType: 'application/xml',
    body: renderS3Error(fault, resourceOf(message), trace.requestId),
    headers: fault.code === 'SlowDown' ? [...connection.ownHeaders, ...retryAfter] : connection.ownHeaders,
    closes: error instanceof BodyFault,
  };
  await sendAnswer(connection, answer);
}

function authenticationFacts(error: unknown): {
  authenticationFailure?: AuthenticationFailure;
  errorDetail?: string;
  accessKeyId?: string;
} {
  if (error instanceof BodyFault && error.reason === 'chunk_signature_mismatch')
    return { authenticationFailure: 'signature_mismatch', errorDetail: error.reason };
  if (!(error instanceof AuthenticationFault)) return {};
  const { reason, facts } = error;
  const failure = { authenticationFailure: authenticationFailureLabel(reason), errorDetail: reason };
  return facts.accessKeyId === undefined ? failure : { ...failure, accessKeyId: facts.accessKeyId };
}

// Without the query, which can hold a signature.
function resourceOf(message: IncomingMessage): string {
  return (message.url ?? '').slice(0, maxResource).split('?')[0] ?? '';
}
