import type { Caller } from '../../authenticate/caller.ts';
import { hasIssuer } from '../../config/settings.ts';
import { suggest } from '../../config/suggest.ts';
import { hasOwnRole } from '../../identity/oidc/settings.ts';
import { conditionKeys } from '../../identity/saml/condition-keys.ts';
import { SamlProvider, samlNameQualifier } from '../../identity/saml/saml-provider.ts';
import type { SamlProviderSettings } from '../../identity/saml/settings.ts';
import type { SamlIdentity } from '../../identity/saml-identity.ts';
import { providerArn } from '../../sts/federated-keys.ts';
import { findCaller } from './find-caller.ts';
import { type Asking, QuestionError, type QuestionField } from './question.ts';
import type { World } from './world.ts';

/** Keys that are always present, with values that only the real token knows. They have to be given, and are never guessed. */
interface Untold {
  readonly untold: readonly string[];
}

/** The caller of a simulated request. */
export type Asker =
  | ({ readonly kind: 'caller'; readonly caller: Caller; readonly arn: string } & Untold)
  | { readonly kind: 'anonymous'; readonly arn: '*' }
  | { readonly kind: 'web-identity'; readonly issuer: string; readonly arn: string }
  | ({
      readonly kind: 'saml';
      readonly identity: Pick<SamlIdentity, 'providerArn' | 'conditionKeys'>;
      readonly arn: string;
    } & Untold);

/** The caller's keys that were not given. */
export function untoldOf(asker: Asker): readonly string[] {
  return asker.kind === 'caller' || asker.kind === 'saml' ? asker.untold : [];
}

/**
 * Finds the caller in the directory, as the sidecar would after verifying the signature.
 * @throws QuestionError for a principal that does not exist or cannot have a session.
 */
export function findAsker(asking: Asking, world: World, nowMs: number): Asker {
  const { principal, webIdentityProvider, samlProvider } = asking;
  if (webIdentityProvider !== undefined) {
    requireAlone('webIdentityProvider', 'the token names the caller', [principal, samlProvider]);
    refuseBut([], asking, 'a web identity');
    return findIssuer(webIdentityProvider, world);
  }
  if (samlProvider !== undefined) {
    requireAlone('samlProvider', 'the assertion names the caller', [principal]);
    refuseBut([], asking, 'a SAML assertion');
    return findSamlProvider(samlProvider, world);
  }
  if (principal === undefined) throw new QuestionError('principal', 'is required');
  if (principal === '*') {
    refuseBut([], asking, 'an anonymous caller');
    return { kind: 'anonymous', arn: '*' };
  }
  const { caller, admits, who, untold } = findCaller(principal, asking, world, nowMs);
  refuseBut(admits, asking, who);
  return { kind: 'caller', caller, arn: caller.arn, untold };
}

function requireAlone(field: QuestionField, because: string, others: readonly (string | undefined)[]): void {
  if (others.every((other) => other === undefined)) return;
  const what = others[0] === undefined ? 'a SAML provider' : 'a principal';
  throw new QuestionError(field, `cannot be combined with ${what}: ${because}`);
}

const sessionParts = 'needs the session of a role or a federated user';

/** What each optional part of a question requires. */
const places: Readonly<Partial<Record<QuestionField, string>>> = {
  sessionToken: 'needs a user or root, whose temporary credentials these are',
  mfaAgeSeconds: 'needs the temporary credentials of a user or of root',
  federatedBy: 'needs a federated user',
  policyNames: 'needs a session of the claim-mode provider',
  sessionPolicy: sessionParts,
  sessionPolicyArns: sessionParts,
  tags: sessionParts,
};

function refuseBut(admitted: readonly QuestionField[], asking: Asking, who: string): void {
  const { sessionToken = false, policyNames = [], sessionPolicyArns, tags } = asking;
  const given: readonly (readonly [field: QuestionField, isGiven: boolean])[] = [
    ['sessionToken', sessionToken],
    ['mfaAgeSeconds', asking.mfaAgeSeconds !== undefined],
    ['federatedBy', asking.federatedBy !== undefined],
    ['policyNames', policyNames.length > 0],
    ['sessionPolicy', asking.sessionPolicy !== undefined],
    ['sessionPolicyArns', sessionPolicyArns.length > 0],
    ['tags', tags.length > 0],
  ];
  for (const [field, isGiven] of given) {
    if (!isGiven || admitted.includes(field)) continue;
    throw new QuestionError(field, `${places[field]}: ${who} has none`);
  }
}

function findIssuer(text: string, { settings }: World): Asker {
  const { account } = settings;
  const issuers = settings.identityProviders.filter(hasIssuer);
  const meant = issuers.filter(({ name, issuer }) =>
    [name, issuer, providerArn(issuer, account)].includes(text),
  );
  const found = meant.find((provider) => provider.kind !== 'oidc' || !hasOwnRole(provider));
  if (found !== undefined) {
    return { kind: 'web-identity', issuer: found.issuer, arn: providerArn(found.issuer, account) };
  }
  if (meant.length > 0) {
    const why = 'has a role of its own, and its users assume no role of the directory';
    throw new QuestionError('webIdentityProvider', `${JSON.stringify(text.slice(0, 256))} ${why}`);
  }
  throw unknownProvider(
    'webIdentityProvider',
    text,
    issuers.flatMap(({ name, issuer }) => [name, issuer]),
  );
}

function findSamlProvider(text: string, world: World): Asker {
  const { identityProviders, account } = world.settings;
  const providers = identityProviders.filter((one) => one.kind === 'saml');
  for (const provider of providers) {
    const { arn } = new SamlProvider(provider, account, { useOnce: async () => false });
    if (![provider.name, provider.entityId, arn].includes(text)) continue;
    return { kind: 'saml', arn, ...knownOfAssertions(provider, arn, account.id) };
  }
  const known = providers.flatMap(({ name, entityId }) => [name, entityId]);
  throw unknownProvider('samlProvider', text, known);
}

function knownOfAssertions(
  { name, entityId, recipients }: SamlProviderSettings,
  arn: string,
  accountId: string,
): Pick<Extract<Asker, { kind: 'saml' }>, 'identity' | 'untold'> {
  const [recipient = ''] = recipients;
  const facts = {
    issuer: entityId,
    nameQualifier: samlNameQualifier(entityId, accountId, name),
    doc: `${accountId}/${name}`,
    recipient,
    subject: '',
    subjectType: '',
  };
  const untold = ['saml:sub', 'saml:sub_type', ...(recipients.length === 1 ? [] : ['saml:aud'])];
  return { identity: { providerArn: arn, conditionKeys: conditionKeys(facts, new Map()) }, untold };
}

function unknownProvider(
  field: 'webIdentityProvider' | 'samlProvider',
  text: string,
  known: readonly string[],
): QuestionError {
  const shown = JSON.stringify(text.slice(0, 256));
  return new QuestionError(field, `no identity provider is ${shown}${suggest(text, known)}`);
}
