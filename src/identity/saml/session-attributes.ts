import { foldCase } from '../../core/fold-case.ts';
import { longestSessionSeconds, sessionName } from '../../core/iam-names.ts';
import type { FederatedSessionTag } from '../federated-identity.ts';
import type { SamlIdentity, SamlRole } from '../saml-identity.ts';
import { sessionForms } from '../session-forms.ts';
import { rejected } from './rejected.ts';

/** The session that the attributes of an assertion request. */
export interface SessionAttributes
  extends Pick<SamlIdentity, 'roles' | 'sessionName' | 'tags' | 'sourceIdentity'> {
  /** `SessionDuration`, in seconds. */
  readonly sessionDurationSeconds: number | undefined;
}

type Attributes = ReadonlyMap<string, readonly string[]>;

/** Attribute names, compared exactly (IAM user guide, "Configure SAML assertions for the authentication response"). */
const prefix = 'https://aws.amazon.com/SAML/Attributes/';
const tagPrefix = `${prefix}PrincipalTag:`;

const { maxTags, tagKey, tagValue, sourceIdentity: sourceIdentityForm } = sessionForms;

/**
 * Reads roles, session name, duration, tags and source identity.
 * @throws IdentityFault `bad_claims`
 */
export function readSessionAttributes(attributes: Attributes): SessionAttributes {
  const name = single(attributes, 'RoleSessionName');
  if (name === undefined) throw rejected('bad_claims', 'RoleSessionName is required in AuthnResponse');
  if (!sessionName.test(name)) {
    throw rejected('bad_claims', 'RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}');
  }
  const sourceIdentity = single(attributes, 'SourceIdentity');
  if (sourceIdentity !== undefined && !sourceIdentityForm.test(sourceIdentity)) {
    throw rejected(
      'bad_claims',
      'SourceIdentity must match [a-zA-Z_0-9+=,.@-]{2,64} and must not begin with "aws:"',
    );
  }
  return {
    roles: (attributes.get(`${prefix}Role`) ?? []).flatMap((value) => readRole(value) ?? []),
    sessionName: name,
    sessionDurationSeconds: readDuration(single(attributes, 'SessionDuration')),
    tags: readTags(attributes),
    sourceIdentity,
  };
}

function single(attributes: Attributes, name: string): string | undefined {
  return singleValue(attributes.get(prefix + name), name);
}

function singleValue(values: readonly string[] | undefined, name: string): string | undefined {
  const [value, ...others] = values ?? [];
  if (others.length > 0 || (values !== undefined && value === undefined)) {
    throw rejected('bad_claims', `the attribute ${name} must have one value`);
  }
  return value;
}

/** Reads a pair of ARNs in either order. Anything else offers no role. */
function readRole(value: string): SamlRole | undefined {
  const [first, second, ...more] = value.split(',').map((part) => part.trim());
  if (first === undefined || second === undefined || more.length > 0) return undefined;
  if (isProvider(second) && isRole(first)) return { roleArn: first, principalArn: second };
  return isProvider(first) && isRole(second) ? { roleArn: second, principalArn: first } : undefined;
}

function isProvider(arn: string): boolean {
  return arn.includes(':saml-provider/');
}

function isRole(arn: string): boolean {
  return arn.includes(':role/') && !isProvider(arn);
}

function readDuration(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = /^\d{1,8}$/.test(text) ? Number(text) : 0;
  if (seconds >= 900 && seconds <= longestSessionSeconds) return seconds;
  throw rejected('bad_claims', `SessionDuration must be a whole number from 900 to ${longestSessionSeconds}`);
}

function readTags(attributes: Attributes): FederatedSessionTag[] {
  // Keys are compared without case. Of two such tags, one would be lost.
  const keys = attributes.get(`${prefix}TransitiveTagKeys`) ?? [];
  const transitive = new Set(keys.map((key) => foldCase(key)));
  const tags: FederatedSessionTag[] = [];
  const seen = new Set<string>();
  for (const [name, values] of attributes) {
    if (!name.startsWith(tagPrefix)) continue;
    const key = name.slice(tagPrefix.length);
    const value = singleValue(values, 'PrincipalTag');
    if (value === undefined || !tagKey.test(key) || !tagValue.test(value)) {
      throw rejected('bad_claims', 'a PrincipalTag has a key or value that is not allowed');
    }
    const folded = foldCase(key);
    if (seen.has(folded)) throw rejected('bad_claims', 'a PrincipalTag is repeated');
    seen.add(folded);
    tags.push({ key, value, isTransitive: transitive.delete(folded) });
  }
  if (tags.length > maxTags) throw rejected('bad_claims', `there are more than ${maxTags} principal tags`);
  if (transitive.size > 0)
    throw rejected('bad_claims', 'a transitive tag key is not among the principal tags');
  return tags;
}
