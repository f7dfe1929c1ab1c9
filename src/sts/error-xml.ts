import { AuthenticationFault, type AuthenticationReason } from '../core/authentication-fault.ts';
import type { RawRequest } from '../core/raw-request.ts';
import { ServiceError } from '../core/service-error.ts';
import { writeXml } from '../core/xml.ts';
import { StateError } from '../state/shared-state.ts';
import { stsAuthenticationError, stsError } from './errors.ts';
import type { StsResponse } from './response-xml.ts';
import { contentTypes, stsNamespace, wireFormat } from './wire-format.ts';

/** A rendered error, with what the log and the metrics record about it. */
export interface StsErrorResponse extends StsResponse {
  readonly errorCode: string;
  /** The cause, for the log; never sent. */
  readonly errorDetail?: string;
  /** Set when the caller could not be authenticated. */
  readonly authenticationReason?: AuthenticationReason;
  /** The access key id of a request that failed authentication, when it could be read. */
  readonly accessKeyId?: string;
}

/** Renders any error. An error without a type becomes InternalFailure 500 without details. */
export function renderStsError(error: unknown, raw: RawRequest): StsErrorResponse {
  const fault = toServiceError(error);
  const format = wireFormat(raw);
  const content = {
    Error: { Type: fault.status < 500 ? 'Sender' : 'Receiver', Code: fault.code, Message: fault.message },
    RequestId: raw.requestId,
  };
  return {
    status: fault.status,
    contentType: contentTypes[format],
    body: format === 'xml' ? writeXml('ErrorResponse', content, stsNamespace) : JSON.stringify(content),
    errorCode: fault.code,
    ...(fault.detail === undefined ? {} : { errorDetail: fault.detail }),
    ...(error instanceof AuthenticationFault ? authenticationFacts(error) : {}),
  };
}

function toServiceError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  if (error instanceof AuthenticationFault) return stsAuthenticationError(error);
  if (error instanceof StateError)
    return stsError('ServiceUnavailable', undefined, { cause: error, detail: error.message });
  return stsError('InternalFailure', undefined, { cause: error, detail: String(error) });
}

function authenticationFacts({ reason, facts }: AuthenticationFault): {
  authenticationReason: AuthenticationReason;
  accessKeyId?: string;
} {
  const { accessKeyId } = facts;
  return { authenticationReason: reason, ...(accessKeyId === undefined ? {} : { accessKeyId }) };
}
