import { auditUnavailable } from '../sts/errors.ts';
import type { StsTrace } from '../sts/handle.ts';
import type { RequestTrace } from './request-trace.ts';

/**
 * Collects the facts of a call of STS, and reserves room for its audit record before anything is issued. Without a signature that is
 * once its proof of identity is verified: the room of strangers, who may fill it, is not what the others need.
 * @param isKnown true once a signature is verified
 */
export function auditedSts(
  trace: RequestTrace,
  isKnown: () => boolean,
): Required<Pick<StsTrace, 'add' | 'called' | 'answered'>> {
  return {
    add: (facts) => {
      trace.add(facts);
      if (facts.federatedUser !== undefined) requireAudit(trace);
    },
    called: (parameters) => {
      trace.audit?.called(parameters);
      if (isKnown()) requireAudit(trace);
    },
    answered: (result) => {
      trace.audit?.answered(result);
      requireAudit(trace);
    },
  };
}

/** @throws ServiceUnavailable when the record could not be kept, and `audit.failClosed` is set */
function requireAudit(trace: RequestTrace): void {
  if (!trace.canBeAudited()) throw auditUnavailable();
}
