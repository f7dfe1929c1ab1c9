import { longestSessionSeconds } from '../core/iam-names.ts';
import { stsError } from './errors.ts';
import {
  integer,
  invalid,
  list,
  lowerFirst,
  type ParameterRule,
  required,
  type SentParameters,
  secretText,
  text,
} from './parameter-rules.ts';
import { maxPolicyCharacters, whiteSpaceHint } from './policy-length.ts';

export { type ParameterRule, refused, required, type SentParameters } from './parameter-rules.ts';

// As AWS prints it in messages.
const sessionNamePattern = '[\\w+=,.@-]*';
const tagPattern = '[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*';
const policyPattern = '[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+';
const arn = text({ min: 20, max: 2048 });

/**
 * The constraints of every parameter, by its wire name (AWS STS API Reference 2011-06-15; some limits are wider here). Actions
 * choose their parameters from this table.
 */
export const stsParameters: {
  readonly RoleArn: ParameterRule<string | undefined>;
  readonly RoleSessionName: ParameterRule<string | undefined>;
  /** Each member has `arn`. */
  readonly PolicyArns: ParameterRule<readonly ReadonlyMap<string, string>[]>;
  /** JSON text. The session policies have a common limit too: this text and the policy ARNs together. */
  readonly Policy: ParameterRule<string | undefined>;
  /** JSON text for AssumeRole, whose model has no maximum. Only the common limit with the policy ARNs applies. */
  readonly PolicyOfAnyLength: ParameterRule<string | undefined>;
  /** Seconds, for actions that assume a role. */
  readonly DurationSeconds: ParameterRule<number | undefined>;
  /** Seconds, for GetSessionToken and GetFederationToken. */
  readonly OwnDurationSeconds: ParameterRule<number | undefined>;
  /** Seconds, for GetScopedCredentials. */
  readonly ScopedDurationSeconds: ParameterRule<number | undefined>;
  /** Bytes. */
  readonly MinimumSessionTokenSize: ParameterRule<number | undefined>;
  readonly ScopedSessionDescription: ParameterRule<string | undefined>;
  readonly ExternalId: ParameterRule<string | undefined>;
  /** The name of a federated user. */
  readonly Name: ParameterRule<string | undefined>;
  readonly AccessKeyId: ParameterRule<string | undefined>;
  readonly EncodedMessage: ParameterRule<string | undefined>;
  readonly ProviderId: ParameterRule<string | undefined>;
  /** A secret, which violations must not quote. */
  readonly WebIdentityToken: ParameterRule<string | undefined>;
  /** A secret, which violations must not quote. It is sent on as a header value. */
  readonly WebIdentityAccessToken: ParameterRule<string | undefined>;
  /** A secret, which violations must not quote. */
  readonly Token: ParameterRule<string | undefined>;
  readonly PrincipalArn: ParameterRule<string | undefined>;
  /** A secret, which violations must not quote. */
  readonly SAMLAssertion: ParameterRule<string | undefined>;
  readonly SerialNumber: ParameterRule<string | undefined>;
  readonly TokenCode: ParameterRule<string | undefined>;
  readonly SourceIdentity: ParameterRule<string | undefined>;
  /** Each member has `Key` and `Value`. */
  readonly Tags: ParameterRule<readonly ReadonlyMap<string, string>[]>;
  /** Each member is one text, under the empty field name. */
  readonly TransitiveTagKeys: ParameterRule<readonly ReadonlyMap<string, string>[]>;
  /** Each member has `ProviderArn` and `ContextAssertion`. */
  readonly ProvidedContexts: ParameterRule<readonly ReadonlyMap<string, string>[]>;
} = {
  RoleArn: arn,
  RoleSessionName: text({ min: 2, max: 64, pattern: sessionNamePattern }),
  PolicyArns: list({ arn: required(arn) }, { maxItems: 10 }),
  Policy: text({ min: 1, max: maxPolicyCharacters, pattern: policyPattern, hint: whiteSpaceHint }),
  PolicyOfAnyLength: text({ min: 1, pattern: policyPattern }),
  // The role's own maximum is checked once the role may be assumed. It can be up to a year here; AWS stops at 43200.
  DurationSeconds: integer({ min: 900, max: longestSessionSeconds }),
  OwnDurationSeconds: integer({ min: 900, max: 129_600 }),
  ScopedDurationSeconds: integer({ min: 1, max: 129_600 }),
  MinimumSessionTokenSize: integer({ min: 0, max: 4096 }),
  ScopedSessionDescription: text({
    min: 2,
    max: 256,
    pattern: '[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u00A1-\\u00FF]*',
  }),
  ExternalId: text({ min: 2, max: 1224, pattern: '[\\w+=,.@:\\/-]*' }),
  Name: text({ min: 2, max: 32, pattern: sessionNamePattern }),
  AccessKeyId: text({ min: 16, max: 128, pattern: '[\\w]*' }),
  EncodedMessage: text({ min: 1, max: 10_240 }),
  ProviderId: text({ min: 4, max: 2048 }),
  WebIdentityToken: secretText({ min: 4, max: 20_000 }),
  WebIdentityAccessToken: secretText({ min: 1, max: 20_000, pattern: '[\\u0021-\\u007E]+' }),
  Token: secretText({ min: 1, max: 20_000 }),
  PrincipalArn: arn,
  SAMLAssertion: secretText({ min: 4, max: 100_000 }),
  SerialNumber: text({ min: 9, max: 256, pattern: '[\\w+=/:,.@-]*' }),
  TokenCode: text({ min: 6, max: 6, pattern: '[\\d]*' }),
  SourceIdentity: text({ min: 2, max: 64, pattern: `(?!aws:)${sessionNamePattern}` }),
  Tags: list(
    {
      Key: required(text({ min: 1, max: 128, pattern: tagPattern })),
      Value: required(text({ min: 0, max: 256, pattern: tagPattern })),
    },
    { maxItems: 50 },
  ),
  TransitiveTagKeys: list({ '': text({ min: 1, max: 128, pattern: tagPattern }) }, { maxItems: 50 }),
  ProvidedContexts: list(
    {
      ProviderArn: required(arn),
      ContextAssertion: required(text({ min: 4, max: 2048 })),
    },
    { maxItems: 5 },
  ),
};

/** The parameters of one action, by wire name. */
export type ParameterTable = Readonly<Record<string, ParameterRule<unknown>>>;

/** The checked values of a {@link ParameterTable}. */
export type ParameterValues<T extends ParameterTable> = {
  readonly [N in keyof T]: T[N] extends ParameterRule<infer V> ? V : never;
};

/**
 * Checks the declared parameters. Others are ignored, as AWS does, except session policies: without them the session would have
 * more permissions than the caller asked for.
 * @throws ServiceError ValidationError with every violated constraint or for an unsupported parameter, and
 * InvalidParameterCombination for a session policy that the action does not take
 */
export function readParameters<T extends ParameterTable>(sent: SentParameters, table: T): ParameterValues<T> {
  requireNoLostPolicy(sent, table);
  const violations: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, rule] of Object.entries(table)) {
    const value = rule.read(sent, name, lowerFirst(name), (path, violating, constraint) => {
      violations.push(`${shown(violating)} at '${path}' failed to satisfy constraint: ${constraint}`);
    });
    if (value !== invalid) values[name] = value;
  }
  if (violations.length > 0) throw violationsError(violations);
  const refusedNames = Object.keys(table).filter((name) => table[name]?.isRefused && isGiven(values[name]));
  if (refusedNames.length > 0) throw refusedError(refusedNames);
  // INVARIANT: without violations, every rule has returned a value of its own type.
  return values as ParameterValues<T>;
}

function requireNoLostPolicy(sent: SentParameters, table: ParameterTable): void {
  for (const name of sent.keys()) {
    const [parameter = ''] = name.split('.', 1);
    if (parameter !== 'Policy' && parameter !== 'PolicyArns') continue;
    // A policy is one text, and has no members.
    const isTaken = Object.hasOwn(table, parameter) && (parameter !== 'Policy' || name === parameter);
    if (isTaken) continue;
    throw stsError(
      'InvalidParameterCombination',
      `The action does not take the parameter ${shownName(name)}.`,
    );
  }
}

const maxShownCharacters = 256;

function shownName(name: string): string {
  return name.slice(0, maxShownCharacters);
}

function shown(value: string | null): string {
  if (value === null) return 'Value null';
  return `Value '${value.length > maxShownCharacters ? `${value.slice(0, maxShownCharacters)}…` : value}'`;
}

function violationsError(violations: readonly string[]): Error {
  const count = violations.length === 1 ? '1 validation error' : `${violations.length} validation errors`;
  return stsError('ValidationError', `${count} detected: ${violations.join('; ')}`);
}

function refusedError(names: readonly string[]): Error {
  const verb = names.length === 1 ? 'is' : 'are';
  return stsError(
    'ValidationError',
    `${names.join(', ')} ${verb} not supported by this version of the service.`,
  );
}

function isGiven(value: unknown): boolean {
  return value !== undefined && !(Array.isArray(value) && value.length === 0);
}
