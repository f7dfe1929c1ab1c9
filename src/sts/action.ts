import type { Authenticated, AuthenticationSources } from '../authenticate/authenticate.ts';
import type { Caller } from '../authenticate/caller.ts';
import type { PolicyGatherer } from '../authorize/gather-policies.ts';
import type { WaitingClient } from '../core/client-gone.ts';
import type { Clock } from '../core/clock.ts';
import type { Randomness } from '../core/randomness.ts';
import type { RawRequest } from '../core/raw-request.ts';
import type { RequestRecord } from '../core/request-record.ts';
import type { IdentityProviders } from '../identity/provider.ts';
import type { SharedState } from '../state/shared-state.ts';
import type { KeyRing } from '../tokens/key-ring.ts';
import { stsError } from './errors.ts';
import { keepValues } from './kept-values.ts';
import {
  type ParameterTable,
  type ParameterValues,
  readParameters,
  type SentParameters,
} from './parameters.ts';
import type { StsResult } from './response-xml.ts';
import { askedFor } from './session-facts.ts';

/** What the service works with. All of it belongs to one configuration snapshot. */
export interface StsDependencies {
  readonly clock: Clock;
  readonly authentication: AuthenticationSources;
  readonly keyRing: KeyRing;
  readonly policies: PolicyGatherer;
  readonly randomness: Randomness;
  readonly state: SharedState;
  readonly identityProviders: IdentityProviders;
  /** `region` is the region of requests that name none, which are the unsigned ones. */
  readonly account: { readonly id: string; readonly partition: string; readonly region: string };
}

/** The facts of one STS request so far, as fields of the request record. */
export type StsFacts = Partial<
  Pick<
    RequestRecord,
    | 'operation'
    | 'principalArn'
    | 'accessKeyId'
    | 'sessionId'
    | 'authenticationFailure'
    | 'decision'
    | 'issuedCredentials'
    | 'issuedSessionId'
    | 'issuedAccessKeyId'
    | 'expiration'
    | 'roleArn'
    | 'sessionName'
    | 'subject'
    | 'audience'
    | 'sourceIdentity'
    | 'federatedUser'
    | 'scopedSessionDescription'
    | 'identityProvider'
    | 'mfaOutcome'
  >
>;

/** Collects the facts of a request as they become known, so that a refused request has them too. */
export interface StsTrace {
  /** What tells whether the client still waits. */
  readonly client?: WaitingClient;
  add(facts: StsFacts): void;
  /** Called when the signature has been verified. An error that it throws ends the request. */
  authenticated?(caller: Caller): void;
  /**
   * Called with the checked parameters, secrets among them, before anything is done. An error that it throws ends the request.
   */
  called?(parameters: Readonly<Record<string, unknown>>): void;
  /** Called with the result, which may hold credentials. */
  answered?(result: StsResult): void;
  /** Called when all that is left of the form are the parameters of its action, with their size in bytes. */
  keeps?(bytes: number): void;
  /**
   * Called when the request starts to wait for an identity provider or webhook, given by its configured name. Returns a
   * function that is called when the wait ends, whether it succeeds or fails. While it waits, the request holds one of the
   * provider's own places. A request may wait several times, one after the other.
   */
  waitsFor?(provider: string): () => void;
  /**
   * Waits for a turn of the event loop, of which the work that follows takes that share; a whole one is a few milliseconds. It is
   * a turn of the caller; of a stranger, one of the identity provider of that ARN, or without one of all strangers. An error that
   * it throws ends the request: it has given its place to another one, or its client has left.
   */
  turn?(share: number, providerArn?: string): Promise<void>;
}

/** A signed request within an action. */
export interface SignedCall {
  readonly authenticated: Authenticated;
  readonly dependencies: StsDependencies;
  readonly trace: StsTrace;
}

/** An unsigned request within an action. Its parameters carry the proof of identity. */
export interface UnsignedCall {
  readonly raw: RawRequest;
  readonly dependencies: StsDependencies;
  readonly trace: StsTrace;
}

/**
 * Which kinds of callers may call an action. Every kind must be listed, so that a new kind is not admitted by default.
 * `refusal` is the public text of AccessDenied.
 */
export type CallerRule = Readonly<Record<Caller['kind'], 'admitted' | { readonly refusal: string }>>;

/** The definition of a signed action. */
export interface ActionDefinition<T extends ParameterTable> {
  readonly name: string;
  readonly callers: CallerRule;
  readonly parameters: T;
  perform(values: ParameterValues<T>, call: SignedCall): Promise<StsResult>;
}

/** The definition of an unsigned action. */
export interface UnsignedActionDefinition<T extends ParameterTable> {
  readonly name: string;
  /** A table, or a function that chooses one, for an action in which one parameter decides whether others are required. */
  readonly parameters: T | ((sent: SentParameters, dependencies: StsDependencies) => T);
  perform(values: ParameterValues<T>, call: UnsignedCall): Promise<StsResult>;
}

/** An action that callers sign with an access key. */
export interface SignedAction {
  readonly kind: 'signed';
  readonly name: string;
  /** What a call asks for, before its caller is known. */
  asks(sent: SentParameters): StsFacts;
  /** Runs the phases after authentication: the caller rule, the parameters, and the action itself. */
  run(sent: SentParameters, call: SignedCall): Promise<StsResult>;
}

/** An action whose caller is proved by a parameter. A signature, if there is one, is ignored. */
export interface UnsignedAction {
  readonly kind: 'unsigned';
  readonly name: string;
  run(sent: SentParameters, call: UnsignedCall): Promise<StsResult>;
}

/** One row of the action table. */
export type StsAction = SignedAction | UnsignedAction;

/** Builds the table row of a signed action. */
export function defineAction<T extends ParameterTable>(definition: ActionDefinition<T>): SignedAction {
  const { name, callers, parameters, perform } = definition;
  return {
    kind: 'signed',
    name,
    asks: (sent) => askedFor(sent, parameters),
    async run(sent, call) {
      const rule = callers[call.authenticated.caller.kind];
      if (rule !== 'admitted') throw stsError('AccessDenied', rule.refusal);
      return perform(keptParameters(sent, parameters, call.trace), call);
    },
  };
}

/** Builds the table row of an unsigned action. */
export function defineUnsignedAction<T extends ParameterTable>(
  definition: UnsignedActionDefinition<T>,
): UnsignedAction {
  const { name, parameters, perform } = definition;
  return {
    kind: 'unsigned',
    name,
    async run(sent, call) {
      const table = typeof parameters === 'function' ? parameters(sent, call.dependencies) : parameters;
      call.trace.add(askedFor(sent, table));
      return perform(keptParameters(sent, table, call.trace), call);
    },
  };
}

/**
 * The checked parameters of a call, in memory of their own.
 * @throws ServiceError as {@link readParameters}
 */
export function keptParameters<T extends ParameterTable>(
  sent: SentParameters,
  table: T,
  trace: StsTrace,
): ParameterValues<T> {
  const { values, bytes } = keepValues(readParameters(sent, table));
  trace.keeps?.(bytes);
  trace.called?.(values);
  return values;
}
