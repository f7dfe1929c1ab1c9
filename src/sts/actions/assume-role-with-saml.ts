import { parseArn } from '../../core/arn.ts';
import type { SamlIdentity } from '../../identity/saml-identity.ts';
import { defineUnsignedAction, type UnsignedAction } from '../action.ts';
import { stsError } from '../errors.ts';
import { federate, orStsError } from '../federate.ts';
import { grantRoleToFederated } from '../grants/role-grant.ts';
import {
  assumeRoleWithSaml as action,
  defaultDurationSeconds,
  federatedQuestion,
  fullRoleArn,
} from '../grants/trust-question.ts';
import { issueSession } from '../issue-session.ts';
import { required, stsParameters } from '../parameters.ts';

/**
 * Issues credentials of a role to the holder of a SAML response (AWS STS API Reference, AssumeRoleWithSAML). The assertion
 * names the session, may tag it, and must list this role together with this provider.
 */
export const assumeRoleWithSaml: UnsignedAction = defineUnsignedAction({
  name: 'AssumeRoleWithSAML',
  parameters: {
    RoleArn: required(stsParameters.RoleArn),
    PrincipalArn: required(stsParameters.PrincipalArn),
    SAMLAssertion: required(stsParameters.SAMLAssertion),
    PolicyArns: stsParameters.PolicyArns,
    Policy: stsParameters.Policy,
    DurationSeconds: stsParameters.DurationSeconds,
    MinimumSessionTokenSize: stsParameters.MinimumSessionTokenSize,
  },
  async perform(values, call) {
    const { raw, dependencies } = call;
    const { account } = dependencies;
    const roleArn = fullRoleArn(values.RoleArn, account.id);
    if (roleArn === undefined) throw invalid(values.RoleArn);
    if (!isSamlProviderArn(values.PrincipalArn)) throw invalid(values.PrincipalArn);
    const proof = { principalArn: values.PrincipalArn, assertion: values.SAMLAssertion };
    const identity = await federate('saml', proof, call);
    requireOffered(identity, roleArn, account.id);
    const { sessionName, tags, sourceIdentity, maxDurationSeconds } = identity;
    const { DurationSeconds: durationSeconds } = values;
    const asked = durationSeconds ?? defaultDurationSeconds;
    const requested = {
      sessionName,
      tags,
      sourceIdentity,
      durationSeconds: Math.min(asked, maxDurationSeconds ?? asked),
    };
    const grant = await grantRoleToFederated(
      { roleArn, sessionName, durationSeconds, tags, sourceIdentity, maxDurationSeconds },
      {
        question: federatedQuestion(requested, { kind: 'saml', ...identity }, raw, account),
        federation: federationOf(identity),
      },
      call,
    );
    const passed = { ...values, tags, useUp: () => orStsError(identity.useUp(), call) };
    const session = await issueSession(grant, passed, call, raw.receivedAtMs);
    return {
      Credentials: session.credentials,
      AssumedRoleUser: grant.assumedRoleUser,
      PackedPolicySize: session.packedPolicySize,
      Subject: identity.subject,
      SubjectType: identity.subjectType,
      Issuer: identity.issuer,
      Audience: identity.recipient,
      NameQualifier: identity.nameQualifier,
      SourceIdentity: grant.claims.sourceIdentity,
      ...session.tokenSize,
    };
  },
});

function invalid(value: string): Error {
  return stsError('ValidationError', `${value.slice(0, 256)} is invalid`);
}

function isSamlProviderArn(text: string): boolean {
  const arn = parseArn(text);
  return arn?.service === 'iam' && arn.region === '' && /^saml-provider\/./.test(arn.resource);
}

function requireOffered({ roles, providerArn }: SamlIdentity, roleArn: string, accountId: string): void {
  const isOffered = roles.some(
    (one) => fullRoleArn(one.roleArn, accountId) === roleArn && one.principalArn === providerArn,
  );
  if (isOffered) return;
  const detail = 'the assertion does not offer the role for the provider';
  throw stsError('AccessDenied', `Not authorized to perform ${action}`, { detail });
}

function federationOf(identity: SamlIdentity): Parameters<typeof grantRoleToFederated>[1]['federation'] {
  const { providerArn: provider, subject, recipient: audience, subjectType, nameQualifier } = identity;
  return { provider, subject, audience, saml: { subjectType, nameQualifier } };
}
