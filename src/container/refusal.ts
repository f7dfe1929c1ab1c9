import type { AuthenticationFailure } from '../core/request-record.ts';
import { ServiceError } from '../core/service-error.ts';
import { HeadFault, headError } from '../edge/head-fault.ts';
import { StateError } from '../state/shared-state.ts';
import type { StsErrorCode } from '../sts/errors.ts';
import { stsError } from '../sts/errors.ts';
import { ContainerFault, containerFaults } from './container-fault.ts';

/** A refusal as it is sent and recorded. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  /** Public text. */
  readonly message: string;
  /** The cause, for the log; never sent. */
  readonly detail: string | undefined;
  /** Set for a request without a token. What is wrong with a token has been noted where it was judged. */
  readonly authenticationFailure?: AuthenticationFailure;
}

/**
 * The statuses of codes for which clients of this protocol need another one than STS has: they repeat what is 5xx (Java and Go),
 * and a token that is not accepted is 401.
 */
const statuses: { readonly [Code in StsErrorCode]?: number } = {
  ExpiredTokenException: 401,
  IDPRejectedClaim: 401,
  InvalidIdentityToken: 401,
  IDPCommunicationError: 503,
  Throttling: 503,
};
const statusOf: ReadonlyMap<string, number> = new Map(Object.entries(statuses));

/** The refusal for any error. One without a type becomes InternalFailure 500 without details. */
export function refusalFor(error: unknown): Refusal {
  if (error instanceof ContainerFault) {
    const { code, message } = error;
    const refusal = { status: containerFaults[code][0], code, message, detail: undefined };
    return code === 'MissingAuthenticationToken'
      ? { ...refusal, authenticationFailure: 'malformed' }
      : refusal;
  }
  if (error instanceof HeadFault) {
    const { message } = headError(error, 'sts');
    return { status: 400, code: 'MalformedRequest', message, detail: error.reason };
  }
  const { code, status, message, detail } = serviceErrorFor(error);
  return { status: statusOf.get(code) ?? status, code, message, detail };
}

function serviceErrorFor(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  if (error instanceof StateError)
    return stsError('ServiceUnavailable', undefined, { detail: error.message });
  return stsError('InternalFailure', undefined, { detail: String(error) });
}
