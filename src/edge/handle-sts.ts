import { BodyFault } from '../core/body-fault.ts';
import type { RawRequest } from '../core/raw-request.ts';
import { collect } from '../forward/request-body.ts';
import { renderStsError } from '../sts/error-xml.ts';
import { stsError } from '../sts/errors.ts';
import { handleSts, type StsDependencies, type StsResponse } from '../sts/handle.ts';
import { maxStsBodyBytes } from '../sts/query-request.ts';
import { sendAnswer } from './answer.ts';
import { authenticationFailureLabel } from './authentication-failure-label.ts';
import type { ClientConnection } from './handle-s3.ts';
import type { RequestTrace } from './request-trace.ts';

/** Answers one STS request: reads its small body, lets the service handle it, renders what it throws. */
export async function answerSts(
  raw: RawRequest,
  connection: ClientConnection,
  dependencies: StsDependencies,
  trace: RequestTrace,
): Promise<void> {
  const { message, response } = connection;
  let answer: StsResponse;
  let isBodyUsable = true;
  try {
    connection.invite();
    const body = await readBody(connection);
    answer = await handleSts(raw, body, dependencies, trace);
  } catch (error) {
    const rendered = renderStsError(error, raw);
    const { errorCode, errorDetail, authenticationReason, accessKeyId } = rendered;
    isBodyUsable = !(error instanceof Error && error.cause instanceof BodyFault);
    trace.add({
      errorCode,
      ...(errorDetail === undefined ? {} : { errorDetail }),
      ...(accessKeyId === undefined ? {} : { accessKeyId }),
      ...(authenticationReason === undefined
        ? {}
        : { authenticationFailure: authenticationFailureLabel(authenticationReason) }),
    });
    answer = rendered;
  }
  trace.add({ status: answer.status, bytesOut: Buffer.byteLength(answer.body) });
  const headers = ['x-amzn-RequestId', trace.requestId, ...connection.ownHeaders];
  await sendAnswer(message, response, { ...answer, headers, closes: !isBodyUsable });
}

async function readBody({ message }: ClientConnection): Promise<Buffer> {
  try {
    return await collect(message, maxStsBodyBytes);
  } catch (cause) {
    if (!(cause instanceof BodyFault)) throw cause;
    throw cause.reason === 'document_too_large'
      ? stsError('RequestEntityTooLarge', undefined, { cause })
      : stsError('MalformedQueryString', undefined, { cause });
  }
}
