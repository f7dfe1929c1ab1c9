import type { Authenticated, AuthenticationSources } from '../authenticate/authenticate.ts';
import type { Caller } from '../authenticate/caller.ts';
import type { PolicyGatherer } from '../authorize/gather-policies.ts';
import type { Randomness } from '../core/randomness.ts';
import type { RequestRecord } from '../core/request-record.ts';
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
  readonly authentication: AuthenticationSources;
  readonly keyRing: KeyRing;
  readonly policies: PolicyGatherer;
  readonly randomness: Randomness;
  readonly account: { readonly id: string; readonly partition: string };
}

/** What is known about one STS request so far, in the fields of the request record. */
export type StsFacts = Partial<
  Pick<RequestRecord, 'operation' | 'principalArn' | 'accessKeyId' | 'decision' | 'issuedCredentials'>
>;

/** Receives the facts as the request gets on, so that they are known of a refused one too. */
export interface StsTrace {
  add(facts: StsFacts): void;
}

/** A signed request on its way through an action. */
export interface SignedCall {
  readonly authenticated: Authenticated;
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

/** One row of the action table. */
export interface StsAction {
  readonly name: string;
  /** Runs the phases that follow authentication: caller rule, parameters, the action itself. */
  run(sent: SentParameters, call: SignedCall): Promise<StsResult>;
}

/** Makes a row of the action table. */
export function defineAction<T extends ParameterTable>(definition: ActionDefinition<T>): StsAction {
  const { name, callers, parameters, perform } = definition;
  return {
    name,
    async run(sent, call) {
      const rule = callers[call.authenticated.caller.kind];
      if (rule !== 'admitted') throw stsError('AccessDenied', rule.refusal);
      return perform(readParameters(sent, parameters), call);
    },
  };
}
