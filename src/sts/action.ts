import type { Authenticated, AuthenticationSources } from '../authenticate/authenticate.ts';
import type { Caller } from '../authenticate/caller.ts';
import type { PolicyGatherer } from '../authorize/gather-policies.ts';
import type { Clock } from '../core/clock.ts';
import type { Randomness } from '../core/randomness.ts';
import type { RawRequest } from '../core/raw-request.ts';
import type { RequestRecord } from '../core/request-record.ts';
import type { CustomTokenProviders } from '../identity/custom-token-identity.ts';
import type { IdentityProviders } from '../identity/provider.ts';
import type { SamlProviders } from '../identity/saml-identity.ts';
import type { SharedState } from '../state/shared-state.ts';
import type { KeyRing } from '../tokens/key-ring.ts';
import { stsError } from './errors.ts';
import {
  type ParameterTable,
  type ParameterValues,
  readParameters,
  type SentParameters,
} from './parameters.ts';
import type { StsResult } from './response-xml.ts';

/** Everything the service works with; all of one configuration snapshot. */
export interface StsDependencies {
  readonly clock: Clock;
  readonly authentication: AuthenticationSources;
  readonly keyRing: KeyRing;
  readonly policies: PolicyGatherer;
  readonly randomness: Randomness;
  readonly state: SharedState;
  readonly identityProviders: IdentityProviders;
  readonly customTokenProviders: CustomTokenProviders;
  readonly samlProviders: SamlProviders;
  /** `region` is what an unsigned request, which names none, counts as made in. */
  readonly account: { readonly id: string; readonly partition: string; readonly region: string };
}

/** What is known about one STS request so far, in the fields of the request record. */
export type StsFacts = Partial<
  Pick<
    RequestRecord,
    | 'operation'
    | 'principalArn'
    | 'accessKeyId'
    | 'sessionId'
    | 'decision'
    | 'issuedCredentials'
    | 'issuedSessionId'
    | 'identityProvider'
    | 'mfaOutcome'
  >
>;

/** Receives the facts as the request gets on, so that they are known of a refused one too. */
export interface StsTrace {
  add(facts: StsFacts): void;
  /** Told that the signature of a request has been verified. What it throws ends the request. */
  authenticated?(caller: Caller): void;
  /**
   * Told that the request starts to wait for an identity provider or a webhook, by its configured name. Returns what is
   * called when the waiting ends, however it ends. In between the request does nothing, and holds one of the provider's own
   * places. May happen several times for a request, one after the other.
   */
  waitsFor?(provider: string): () => void;
}

/** A signed request on its way through an action. */
export interface SignedCall {
  readonly authenticated: Authenticated;
  readonly dependencies: StsDependencies;
  readonly trace: StsTrace;
}

/** An unsigned request on its way through an action; its parameters carry what proves who asks. */
export interface UnsignedCall {
  readonly raw: RawRequest;
  readonly dependencies: StsDependencies;
  readonly trace: StsTrace;
}

/**
 * Who may call an action. Every kind of caller has to be given, so that a new kind cannot slip in; a refusal is the
 * public text of AccessDenied.
 */
export type CallerRule = Readonly<Record<Caller['kind'], 'admitted' | { readonly refusal: string }>>;

/** What an action is made of. */
export interface ActionDefinition<T extends ParameterTable> {
  readonly name: string;
  readonly callers: CallerRule;
  readonly parameters: T;
  perform(values: ParameterValues<T>, call: SignedCall): Promise<StsResult>;
}

/** What an action without a signature is made of. */
export interface UnsignedActionDefinition<T extends ParameterTable> {
  readonly name: string;
  /** A table, or how to choose one where a parameter decides what else must be there. */
  readonly parameters: T | ((sent: SentParameters, dependencies: StsDependencies) => T);
  perform(values: ParameterValues<T>, call: UnsignedCall): Promise<StsResult>;
}

/** An action for callers who sign with an access key. */
export interface SignedAction {
  readonly kind: 'signed';
  readonly name: string;
  /** Runs the phases that follow authentication: caller rule, parameters, the action itself. */
  run(sent: SentParameters, call: SignedCall): Promise<StsResult>;
}

/** An action that proves its caller by a parameter; a signature, if any, is not looked at. */
export interface UnsignedAction {
  readonly kind: 'unsigned';
  readonly name: string;
  /** Checks the parameters and runs the action. */
  run(sent: SentParameters, call: UnsignedCall): Promise<StsResult>;
}

/** One row of the action table. */
export type StsAction = SignedAction | UnsignedAction;

/** Makes a row of the action table. */
export function defineAction<T extends ParameterTable>(definition: ActionDefinition<T>): SignedAction {
  const { name, callers, parameters, perform } = definition;
  return {
    kind: 'signed',
    name,
    async run(sent, call) {
      const rule = callers[call.authenticated.caller.kind];
      if (rule !== 'admitted') throw stsError('AccessDenied', rule.refusal);
      return perform(readParameters(sent, parameters), call);
    },
  };
}

/** Makes a row of the action table for an action without a signature. */
export function defineUnsignedAction<T extends ParameterTable>(
  definition: UnsignedActionDefinition<T>,
): UnsignedAction {
  const { name, parameters, perform } = definition;
  return {
    kind: 'unsigned',
    name,
    async run(sent, call) {
      const table = typeof parameters === 'function' ? parameters(sent, call.dependencies) : parameters;
      return perform(readParameters(sent, table), call);
    },
  };
}
