/*
 * This folder owns SAML 2.0 assertions.
 * In: a base64 SAML response, and the certificates from the provider's configured metadata. Out: a `SamlIdentity`.
 * The identity comes only from what the verified signature covers. Each assertion can be used up once.
 * It never asks the provider anything, never fetches metadata, and never decrypts an assertion.
 */

import { createHash, type KeyObject } from 'node:crypto';
import type { UsedNames } from '../../state/shared-state.ts';
import { IdentityFault } from '../identity-fault.ts';
import { type AccountName, providerArn } from '../kind.ts';
import type { AssertionProvider } from '../provider.ts';
import type { SamlIdentity } from '../saml-identity.ts';
import { readAttributes } from './attributes.ts';
import { checkAssertion, requireIssuer } from './check-assertion.ts';
import { conditionKeys } from './condition-keys.ts';
import { childrenOf } from './elements.ts';
import { xmlNamespaces } from './namespaces.ts';
import { readMessage } from './read-message.ts';
import { RefutedSignatures } from './refuted-signatures.ts';
import { rejected } from './rejected.ts';
import { readSessionAttributes } from './session-attributes.ts';
import type { SamlProviderSettings } from './settings.ts';
import { importCertificateKey } from './signing-keys.ts';
import type { XmlNode } from './strict-xml.ts';
import { requireBefore, timeOf } from './times.ts';
import { verifiedAssertion } from './verify-message.ts';

/** One SAML 2.0 identity provider, which judges the assertions that name it. */
export class SamlProvider implements AssertionProvider {
  readonly form = 'saml';
  readonly #arn: string;
  readonly #settings: SamlProviderSettings;
  readonly #keys: readonly KeyObject[];
  readonly #refuted = new RefutedSignatures();
  readonly #nameQualifier: string;
  readonly #doc: string;
  readonly #used: UsedNames;

  constructor(settings: SamlProviderSettings, account: AccountName, used: UsedNames) {
    const { name, entityId, certificates } = settings;
    this.#arn = samlProviderArn(name)(account);
    this.#settings = settings;
    this.#keys = certificates.flatMap((certificate) => importCertificateKey(certificate) ?? []);
    this.#nameQualifier = samlNameQualifier(entityId, account.id, name);
    this.#doc = `${account.id}/${name}`;
    this.#used = used;
  }

  async identify(base64: string, nowMs: number): Promise<SamlIdentity> {
    const message = readMessage(base64);
    const [issuer] = childrenOf(message.response, xmlNamespaces.assertion, 'Issuer');
    if (issuer !== undefined) requireIssuer(issuer, this.#settings);
    const assertion = verifiedAssertion(message, { keys: this.#keys, refuted: this.#refuted, nowMs });
    const { usableUntilMs, ...subject } = checkAssertion(assertion, this.#settings, nowMs);
    const attributes = readAttributes(assertion);
    const { sessionDurationSeconds, ...session } = readSessionAttributes(attributes);
    const facts = { ...subject, issuer: this.#settings.entityId, nameQualifier: this.#nameQualifier };
    return {
      ...facts,
      ...session,
      provider: this.#settings.name,
      providerArn: this.#arn,
      maxDurationSeconds: longestSession(assertion, sessionDurationSeconds, nowMs),
      conditionKeys: conditionKeys({ ...facts, doc: this.#doc }, attributes),
      useUp: () => this.#useUp(assertion, usableUntilMs, nowMs),
    };
  }

  async #useUp(assertion: XmlNode, untilMs: number, nowMs: number): Promise<void> {
    // An identifier is unique within its issuer. The digest bounds the length of the name.
    const id = JSON.stringify([this.#settings.entityId, assertion.attributes.get('ID')]);
    const digest = createHash('sha256').update(id).digest('base64url');
    if (await this.#used.useOnce(`saml:${digest}`, untilMs, nowMs)) return;
    const { name: provider } = this.#settings;
    throw new IdentityFault('replayed', 'Invalid SAML response: the assertion was used before', { provider });
  }
}

/** `arn:<partition>:iam::<account>:saml-provider/<name>` */
export function samlProviderArn(name: string): (account: AccountName) => string {
  return providerArn(`saml-provider/${name}`);
}

/**
 * Distinguishes equal subjects of two providers: base64 of the SHA-1 of issuer, account id and `/` provider name (AWS STS API
 * Reference, AssumeRoleWithSAML, NameQualifier).
 */
export function samlNameQualifier(issuer: string, accountId: string, name: string): string {
  return createHash('sha1').update(`${issuer}${accountId}/${name}`).digest('base64');
}

/** The shorter of SessionDuration and the time left until SessionNotOnOrAfter, in whole seconds. */
function longestSession(
  assertion: XmlNode,
  sessionDurationSeconds: number | undefined,
  nowMs: number,
): number | undefined {
  const statements = childrenOf(assertion, xmlNamespaces.assertion, 'AuthnStatement');
  if (statements.length === 0) throw rejected('bad_claims', 'the assertion must have an AuthnStatement');
  const ends = statements.flatMap((statement) => timeOf(statement, 'SessionNotOnOrAfter') ?? []);
  // Sessions last at least a second.
  for (const end of ends) requireBefore(end - 999, nowMs, 'the session of the user');
  const limits = ends.map((end) => Math.floor((end - nowMs) / 1000));
  if (sessionDurationSeconds !== undefined) limits.push(sessionDurationSeconds);
  return limits.length === 0 ? undefined : Math.min(...limits);
}
