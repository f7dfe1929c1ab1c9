import { IdentityFault } from '../identity-fault.ts';
import { childrenOf, onlyChildOf, plainText } from './elements.ts';
import { xmlNamespaces } from './namespaces.ts';
import { rejected } from './rejected.ts';
import type { SamlProviderSettings } from './settings.ts';
import type { XmlNode } from './strict-xml.ts';
import { requireBefore, requireBegun, timeOf } from './times.ts';

/** How long an assertion is valid after it was issued (AWS STS, AssumeRoleWithSAML). */
const maxAgeMs = 300_000;
/** Extra time for which a used assertion is remembered, because the clocks of replicas differ. */
const clockMarginMs = 60_000;
const maxSubjectLength = 256;
const maxFormatLength = 128;
const { assertion: namespace } = xmlNamespaces;
const bearer = 'urn:oasis:names:tc:SAML:2.0:cm:bearer';
const unspecifiedFormat = 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified';
const formatPrefix = 'urn:oasis:names:tc:SAML:2.0:nameid-format:';

/** The subject of a checked assertion. */
export interface CheckedSubject {
  readonly subject: string;
  readonly subjectType: string;
  readonly recipient: string;
  /** From then on the assertion is too old by the clock of every replica. Milliseconds since the Unix epoch. */
  readonly usableUntilMs: number;
}

/**
 * Checks issuer, times, audience and recipient of a verified assertion (SAML 2.0 core, section 2.5; profiles, section 4.1.4.3).
 * @throws IdentityFault
 */
export function checkAssertion(
  assertion: XmlNode,
  settings: SamlProviderSettings,
  nowMs: number,
): CheckedSubject {
  requireIssuer(onlyChildOf(assertion, namespace, 'Issuer'), settings);
  const usableUntilMs = checkAge(assertion, nowMs);
  checkConditions(assertion, settings, nowMs);
  const subject = onlyChildOf(assertion, namespace, 'Subject');
  if (subject === undefined) throw rejected('bad_claims', 'the assertion must have one Subject');
  return { ...readNameId(subject), recipient: confirm(subject, settings, nowMs), usableUntilMs };
}

/**
 * Requires the configured issuer, exactly.
 * @throws IdentityFault
 */
export function requireIssuer(issuer: XmlNode | undefined, { entityId }: SamlProviderSettings): void {
  if (issuer !== undefined && plainText(issuer) === entityId) return;
  throw new IdentityFault('unknown_issuer', 'Issuer not present in specified provider');
}

function checkAge(assertion: XmlNode, nowMs: number): number {
  const issuedMs = timeOf(assertion, 'IssueInstant');
  if (issuedMs === undefined) throw rejected('bad_claims', 'the assertion must have an IssueInstant');
  requireBegun(issuedMs, nowMs, 'the time of issue');
  if (nowMs - issuedMs > maxAgeMs) {
    throw new IdentityFault('expired', 'Token must be redeemed within 5 minutes of issuance');
  }
  return issuedMs + maxAgeMs + clockMarginMs;
}

/** Conditions that are checked, or that do not matter here. */
const knownConditions: ReadonlySet<string> = new Set([
  'AudienceRestriction',
  'OneTimeUse',
  'ProxyRestriction',
]);

function checkConditions(assertion: XmlNode, settings: SamlProviderSettings, nowMs: number): void {
  const conditions = onlyChildOf(assertion, namespace, 'Conditions');
  if (conditions === undefined)
    throw rejected('bad_claims', 'the assertion must have one Conditions element');
  requireBegun(timeOf(conditions, 'NotBefore'), nowMs, 'the time of the conditions');
  requireBefore(timeOf(conditions, 'NotOnOrAfter'), nowMs, 'the time of the conditions');
  // A condition that is not understood makes the assertion invalid (core, section 2.5.1.1).
  const isUnknown = (child: XmlNode): boolean =>
    child.namespace !== namespace || !knownConditions.has(child.name);
  if (conditions.children.some(isUnknown))
    throw rejected('bad_claims', 'the assertion has an unknown condition');
  const restrictions = childrenOf(conditions, namespace, 'AudienceRestriction');
  const audiences = new Set(settings.audiences);
  const isForUs = (restriction: XmlNode): boolean =>
    childrenOf(restriction, namespace, 'Audience').some((audience) =>
      audiences.has(plainText(audience) ?? ''),
    );
  // Every restriction must be met, by one of its audiences (core, section 2.5.1.4).
  if (restrictions.length > 0 && restrictions.every(isForUs)) return;
  throw new IdentityFault('wrong_audience', 'Response does not contain the required audience');
}

function readNameId(subject: XmlNode): Pick<CheckedSubject, 'subject' | 'subjectType'> {
  const nameId = onlyChildOf(subject, namespace, 'NameID');
  const text = nameId === undefined ? undefined : plainText(nameId);
  if (nameId === undefined || text === undefined || text.trim() === '' || text.length > maxSubjectLength) {
    throw rejected('bad_claims', `the NameID must be text of 1 to ${maxSubjectLength} characters`);
  }
  // An empty format is the same as none (core, section 2.2.2).
  const format = nameId.attributes.get('Format') || unspecifiedFormat;
  if (format.length > maxFormatLength) throw rejected('bad_claims', 'the format of the NameID is too long');
  const short = format.startsWith(formatPrefix) ? format.slice(formatPrefix.length) : '';
  return { subject: text, subjectType: short || format };
}

/** Returns the recipient of a valid bearer confirmation; one is enough (core, section 2.4.1). */
function confirm(subject: XmlNode, { recipients }: SamlProviderSettings, nowMs: number): string {
  let fault: unknown = rejected('bad_claims', 'the subject has no bearer confirmation');
  for (const confirmation of childrenOf(subject, namespace, 'SubjectConfirmation')) {
    if (confirmation.attributes.get('Method') !== bearer) continue;
    try {
      return confirmedRecipient(
        onlyChildOf(confirmation, namespace, 'SubjectConfirmationData'),
        recipients,
        nowMs,
      );
    } catch (error) {
      if (!(error instanceof IdentityFault)) throw error;
      fault = error;
    }
  }
  throw fault;
}

function confirmedRecipient(data: XmlNode | undefined, recipients: readonly string[], nowMs: number): string {
  const recipient = data?.attributes.get('Recipient');
  if (data === undefined || recipient === undefined || !recipients.includes(recipient)) {
    throw rejected('wrong_audience', 'the Recipient is not the one required');
  }
  const endMs = timeOf(data, 'NotOnOrAfter');
  if (endMs === undefined) throw rejected('bad_claims', 'the subject confirmation must have a NotOnOrAfter');
  requireBegun(timeOf(data, 'NotBefore'), nowMs, 'the time of the subject confirmation');
  requireBefore(endMs, nowMs, 'the time of the subject confirmation');
  return recipient;
}
