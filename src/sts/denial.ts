import type { AccessDecision } from '../authorize/decide.ts';
import type { ContextEntry } from '../authorize/global-keys.ts';
import type { ServiceError } from '../core/service-error.ts';
import type { NeedsKeys } from '../iam/combine.ts';
import { explainDenial } from '../iam/explain.ts';
import { sealAuthorizationMessage } from '../tokens/authorization-message.ts';
import type { SignedCall } from './action.ts';
import { stsError } from './errors.ts';

/** What an authenticated caller was refused. */
export interface RefusedCall {
  readonly action: string;
  readonly resource: string;
  readonly context: readonly ContextEntry[];
  /** The decision of the caller's own policies alone; `needs` when it depends on what is asked for. */
  readonly own: AccessDecision | NeedsKeys;
}

/** Why a trust decision denies, for the log. */
export function denialDetail({ fault, isExplicitDeny, policyType }: AccessDecision): string {
  if (fault !== undefined) return `deciding failed: ${String(fault)}`;
  return `${isExplicitDeny ? 'explicitly denied' : 'not allowed'} by the ${policyType} policies`;
}

/**
 * AccessDenied in AWS's words, with the decision sealed behind them. Both depend on the caller's own policies alone, never
 * on what was asked for: what a trust policy says, and whether there is one, does not show. `detail` is for the log.
 */
export function accessDenied(refused: RefusedCall, call: SignedCall, detail: string): ServiceError {
  const { action, resource, own } = refused;
  const { arn } = call.authenticated.caller;
  const reason = ownReason(own);
  const said = `User: ${arn} is not authorized to perform: ${action} on resource: ${resource}`;
  const message = reason === undefined ? said : `${said} ${explainDenial(reason, action)}`;
  const sealed = sealRefusal(refused, call);
  return stsError('AccessDenied', `${message} Encoded authorization failure message: ${sealed}`, { detail });
}

function sealRefusal({ action, resource, context, own }: RefusedCall, call: SignedCall): string {
  const { caller, raw } = call.authenticated;
  // Where the caller's own policies allow, or may allow, somebody else's refuse, of which nothing is said.
  const { isExplicitDeny, policyType } = ownReason(own) ?? { isExplicitDeny: false, policyType: 'resource' };
  return sealAuthorizationMessage(
    {
      principal: { arn: caller.arn, userId: caller.userId },
      action,
      resource,
      isExplicitDeny,
      policyType,
      statement: isExplicitDeny && own.effect === 'deny' ? own.statement : undefined,
      context,
      requestId: raw.requestId,
      deniedAtMs: raw.receivedAtMs,
    },
    call.dependencies.keyRing,
  );
}

const ownPolicyTypes = ['identity', 'boundary', 'session'] as const;

/**
 * Which of the caller's own sets refuses, `none` when that could not be decided; `undefined` when all of them allow, and when
 * what they say would tell about what is asked for.
 */
function ownReason(
  own: AccessDecision | NeedsKeys,
): Pick<AccessDecision, 'policyType' | 'isExplicitDeny'> | undefined {
  if (own.effect === 'needs') return undefined;
  const { sets, fault } = own;
  if (fault !== undefined) return { policyType: 'none', isExplicitDeny: false };
  const denying = ownPolicyTypes.find((policyType) => sets[policyType] === 'deny');
  if (denying !== undefined) return { policyType: denying, isExplicitDeny: true };
  const silent = ownPolicyTypes.find((policyType) => sets[policyType] === 'none');
  return silent === undefined ? undefined : { policyType: silent, isExplicitDeny: false };
}
