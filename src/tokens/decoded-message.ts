import { isoSeconds } from '../core/clock.ts';
import type { AuthorizationFailure, FailedStatement } from './authorization-failure.ts';

/** A list in the format of AWS's decoded messages. */
interface Items<T> {
  readonly items: readonly T[];
}

/**
 * The result of DecodeAuthorizationMessage in AWS's format (AWS STS API Reference, DecodeAuthorizationMessage). `denial` is an
 * addition: the kind of policy that decided, the near miss, and the request id to look for in the logs. AWS documents no content of
 * `failures`, which is empty here too.
 */
export interface DecodedAuthorizationMessage {
  readonly allowed: false;
  readonly explicitDeny: boolean;
  readonly matchedStatements: Items<{
    /** The Sid; empty when the statement has none. */
    readonly statementId: string;
    readonly effect: 'DENY';
    /** The name of the policy, never its text. */
    readonly sourcePolicyId: string;
    readonly sourcePolicyType: string;
    /** From 0. */
    readonly statementIndex: number;
  }>;
  readonly failures: Items<never>;
  readonly context: {
    readonly principal: { readonly id: string; readonly arn: string };
    readonly action: string;
    readonly resource: string;
    readonly conditions: Items<{ readonly key: string; readonly values: Items<{ readonly value: string }> }>;
  };
  readonly denial: {
    /** `none` when the decision could not be made. */
    readonly policyType: string;
    /** False when the denial was caused by a failed decision, which is a fault of the server. */
    readonly isDecided: boolean;
    /** Of an implicit deny: the Allow that came closest, and what of it did not match. */
    readonly nearMiss?: {
      readonly sourcePolicyId: string;
      readonly sourcePolicyType: string;
      /** Empty when the statement has none. */
      readonly statementId: string;
      /** From 0. */
      readonly statementIndex: number;
      readonly reason: string;
    };
    readonly requestId: string;
    /** ISO 8601 in UTC with whole seconds. */
    readonly deniedAt: string;
  };
}

/** Converts a failure to AWS's format. */
export function failureDocument(failure: AuthorizationFailure): DecodedAuthorizationMessage {
  const { principal, action, resource, statement, policyType, requestId, deniedAtMs } = failure;
  const matched =
    statement === undefined ? [] : [{ ...namesOf(statement, policyType), effect: 'DENY' as const }];
  const { nearMiss } = failure;
  return {
    allowed: false,
    explicitDeny: failure.isExplicitDeny,
    matchedStatements: { items: matched },
    failures: { items: [] },
    context: {
      principal: { id: principal.userId, arn: principal.arn },
      action,
      resource,
      conditions: {
        items: failure.context.map(([key, value]) => ({
          key,
          values: { items: (typeof value === 'string' ? [value] : value).map((text) => ({ value: text })) },
        })),
      },
    },
    denial: {
      policyType,
      isDecided: policyType !== 'none',
      ...(nearMiss === undefined
        ? {}
        : { nearMiss: { ...namesOf(nearMiss.statement, nearMiss.policyType), reason: nearMiss.text } }),
      requestId,
      deniedAt: isoSeconds(deniedAtMs),
    },
  };
}

/** A statement by its names in AWS's format. */
function namesOf({ policy, sid, index }: FailedStatement, policyType: string) {
  return {
    statementId: sid ?? '',
    sourcePolicyId: policy,
    sourcePolicyType: policyType,
    statementIndex: index,
  };
}
