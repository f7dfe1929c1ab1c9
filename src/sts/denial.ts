import type { AccessDecision } from '../authorize/decide.ts';
import type { ServiceError } from '../core/service-error.ts';
import type { NeedsKeys } from '../iam/combine.ts';
import { sealedNearMiss } from '../iam/describe-near-miss.ts';
import { type Explained, explainDenial } from '../iam/explain.ts';
import type { ContextEntry } from '../iam/key-table.ts';
import type { NearMiss } from '../iam/near-miss.ts';
import { ownPolicyTypes } from '../iam/policy-sets.ts';
import { sealAuthorizationMessage } from '../tokens/authorization-message.ts';
import type { SignedCall } from './action.ts';
import { stsError } from './errors.ts';

/** A refused permission of an authenticated caller. */
export interface RefusedCall {
  readonly action: string;
  readonly resource: string;
  readonly context: readonly ContextEntry[];
  /** The decision of the caller's own policies alone. `needs` when it depends on the tags of the role. */
  readonly own: AccessDecision | NeedsKeys;
  /** Finds the Allow of the caller's own policies that came closest. */
  readonly nearest: (reason: Explained) => NearMiss | undefined;
}

/** The reason for a denial, for the log. */
export function denialDetail({ fault, isExplicitDeny, policyType }: AccessDecision): string {
  if (fault !== undefined) return `deciding failed: ${String(fault)}`;
  return `${isExplicitDeny ? 'explicitly denied' : 'not allowed'} by the ${policyType} policies`;
}

/**
 * AccessDenied in AWS's words, followed by the encoded authorization message. Both depend on the caller's own policies alone:
 * they must not reveal what a trust policy says, or whether the role exists. `detail` is for the log.
 */
export function accessDenied(refused: RefusedCall, call: SignedCall, detail: string): ServiceError {
  const { action, resource, own } = refused;
  const { arn } = call.authenticated.caller;
  const reason = ownReason(own);
  const said = `User: ${arn} is not authorized to perform: ${action} on resource: ${resource}`;
  const message = reason === undefined ? said : `${said} ${explainDenial(reason, action)}`;
  const sealed = sealRefusal(refused, reason, call);
  return stsError('AccessDenied', `${message} Encoded authorization failure message: ${sealed}`, { detail });
}

function sealRefusal(
  { action, resource, context, own, nearest }: RefusedCall,
  reason: Explained | undefined,
  call: SignedCall,
): string {
  const { caller, raw } = call.authenticated;
  // When the caller's own policies allow, or may allow, the trust policy is what denies. The message does not say so.
  const { isExplicitDeny, policyType } = reason ?? { isExplicitDeny: false, policyType: 'resource' };
  return sealAuthorizationMessage(
    {
      principal: { arn: caller.arn, userId: caller.userId },
      action,
      resource,
      isExplicitDeny,
      policyType,
      statement: isExplicitDeny && own.effect === 'deny' ? own.statement : undefined,
      nearMiss: reason && sealedNearMiss(nearest(reason)),
      context,
      requestId: raw.requestId,
      deniedAtMs: raw.receivedAtMs,
    },
    call.dependencies.keyRing,
  );
}

/**
 * The caller's own policy set that denies, or `none` when the decision failed. `undefined` when all of them allow, and when the
 * answer would reveal something about the role.
 */
function ownReason(own: AccessDecision | NeedsKeys): Explained | undefined {
  if (own.effect === 'needs') return undefined;
  const { sets, fault } = own;
  if (fault !== undefined) return { policyType: 'none', isExplicitDeny: false };
  const denying = ownPolicyTypes.find((policyType) => sets[policyType] === 'deny');
  if (denying !== undefined) return { policyType: denying, isExplicitDeny: true, sets };
  const silent = ownPolicyTypes.find((policyType) => sets[policyType] === 'none');
  return silent === undefined ? undefined : { policyType: silent, isExplicitDeny: false, sets };
}
