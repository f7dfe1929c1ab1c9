import type { RequestRecord } from '../core/request-record.ts';
import type { AuditRecord, AuditResource } from './audit-record.ts';
import { cut } from './cut.ts';

/** Longest text that is recorded: a session policy. */
const maxText = 2048;

type Values = Readonly<Record<string, unknown>>;
type Writer = (value: unknown) => unknown;

const text: Writer = (value) => (typeof value === 'string' ? cut(value, maxText) : undefined);
const number: Writer = (value) => (typeof value === 'number' ? value : undefined);

/** Each member of a list, with these of its fields. A list of no members is left out. */
const members =
  (write: (member: ReadonlyMap<unknown, unknown>) => unknown): Writer =>
  (value) => {
    if (!Array.isArray(value) || value.length === 0) return undefined;
    return value.map((member: unknown) => (member instanceof Map ? write(member) : undefined));
  };

/**
 * The parameters that are recorded, with their names in CloudTrail. The others are secrets: WebIdentityToken, WebIdentityAccessToken,
 * SAMLAssertion, Token and TokenCode; or they are messages and keys of others, which may be in the wrong place.
 */
const parameterWriters: readonly (readonly [name: string, recordedAs: string, write: Writer])[] = [
  ['RoleArn', 'roleArn', text],
  ['RoleSessionName', 'roleSessionName', text],
  ['PrincipalArn', 'principalArn', text],
  ['ProviderId', 'providerId', text],
  ['Name', 'name', text],
  ['Policy', 'policy', text],
  ['PolicyArns', 'policyArns', members((member) => ({ arn: text(member.get('arn')) }))],
  ['DurationSeconds', 'durationSeconds', number],
  ['ExternalId', 'externalId', text],
  ['SerialNumber', 'serialNumber', text],
  ['SourceIdentity', 'sourceIdentity', text],
  ['Tags', 'tags', members((member) => ({ key: text(member.get('Key')), value: text(member.get('Value')) }))],
  ['TransitiveTagKeys', 'transitiveTagKeys', members((member) => text(member.get('')))],
  ['AccessKeyId', 'accessKeyId', text],
  ['MinimumSessionTokenSize', 'minimumSessionTokenSize', number],
  ['ScopedSessionDescription', 'scopedSessionDescription', text],
];

/** The checked parameters of an action as they are recorded. */
export function stsParameters(values: Values): Values {
  const recorded: Record<string, unknown> = {};
  for (const [name, recordedAs, write] of parameterWriters) {
    const written = write(values[name]);
    if (written !== undefined) recorded[recordedAs] = written;
  }
  return recorded;
}

/** The parameters of a call that was refused before they were checked: what the request record has of them. */
export function askedParameters({ roleArn, sessionName }: RequestRecord): Values {
  return {
    ...(roleArn === undefined ? {} : { roleArn }),
    ...(sessionName === undefined ? {} : { roleSessionName: sessionName }),
  };
}

const structure =
  (...fields: readonly (readonly [name: string, recordedAs: string])[]): Writer =>
  (value) => {
    if (typeof value !== 'object' || value === null) return undefined;
    const found = new Map(Object.entries(value));
    return Object.fromEntries(fields.map(([name, recordedAs]) => [recordedAs, text(found.get(name))]));
  };

/** CloudTrail's own form of this time, in UTC: `Jul 9, 2024, 4:41:37 PM`. */
const expirationForm = new Intl.DateTimeFormat('en-US', {
  dateStyle: 'medium',
  timeStyle: 'medium',
  timeZone: 'UTC',
});

/** Of credentials, the id and the end: never the secret key, and never the session token, which CloudTrail has. */
const credentials: Writer = (value) => {
  if (typeof value !== 'object' || value === null) return undefined;
  const { AccessKeyId: accessKeyId, Expiration: end } = Object.fromEntries(Object.entries(value)) as Values;
  // Newer versions of Unicode's data write a narrow space before AM and PM.
  const expiration = end instanceof Date ? expirationForm.format(end).replaceAll('\u202f', ' ') : undefined;
  return { accessKeyId: text(accessKeyId), expiration };
};

/** The members of results that are recorded, with their names in CloudTrail. */
const resultWriters: readonly (readonly [name: string, recordedAs: string, write: Writer])[] = [
  ['Credentials', 'credentials', credentials],
  ['AssumedRoleUser', 'assumedRoleUser', structure(['AssumedRoleId', 'assumedRoleId'], ['Arn', 'arn'])],
  ['FederatedUser', 'federatedUser', structure(['FederatedUserId', 'federatedUserId'], ['Arn', 'arn'])],
  ['AssumedUser', 'assumedUser', text],
  ['SessionInfo', 'sessionInfo', structure(['ScopedSessionId', 'scopedSessionId'], ['Arn', 'arn'])],
  ['ScopedPoliciesCount', 'scopedPoliciesCount', number],
  ['PackedPolicySize', 'packedPolicySize', number],
  ['SubjectFromWebIdentityToken', 'subjectFromWebIdentityToken', text],
  ['Subject', 'subject', text],
  ['SubjectType', 'subjectType', text],
  ['Issuer', 'issuer', text],
  ['NameQualifier', 'nameQualifier', text],
  ['Provider', 'provider', text],
  ['Audience', 'audience', text],
  ['SourceIdentity', 'sourceIdentity', text],
];

/** The result of an action as it is recorded; `null` for one that issues nothing, as at CloudTrail. */
export function stsResponse(result: Values): AuditRecord['responseElements'] {
  if (result['Credentials'] === undefined) return null;
  const recorded: Record<string, unknown> = {};
  for (const [name, recordedAs, write] of resultWriters) {
    const written = write(result[name]);
    if (written !== undefined) recorded[recordedAs] = written;
  }
  return recorded;
}

/** The role that a call asks for, and the SAML provider that it names. */
export function stsResources(
  parameters: Values,
  { accountId }: { readonly accountId: string },
): AuditResource[] {
  const resources: AuditResource[] = [];
  const { roleArn, principalArn } = parameters;
  if (typeof roleArn === 'string') resources.push({ accountId, type: 'AWS::IAM::Role', ARN: roleArn });
  if (typeof principalArn === 'string')
    resources.push({ accountId, type: 'AWS::IAM::SAMLProvider', ARN: principalArn });
  return resources;
}
