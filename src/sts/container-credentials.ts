import { keptParameters, type UnsignedCall } from './action.ts';
import type { IssuedCredentials } from './credentials.ts';
import { required, type SentParameters, stsParameters } from './parameters.ts';
import { askedFor } from './session-facts.ts';
import { issueToTokenHolder, tokenHolderAction, tokenHolderParameters } from './token-holder.ts';
import { webIdentityMode } from './web-identity-mode.ts';

const trustPolicyParameters = { ...tokenHolderParameters, RoleArn: required(stsParameters.RoleArn) };

/**
 * Issues credentials as AssumeRoleWithWebIdentity does, for a listener that has a protocol of its own. `sent` has the parameters of
 * that action, of which RoleSessionName may be absent.
 * @throws ServiceError of the STS table
 */
export async function issueContainerCredentials(
  sent: SentParameters,
  call: UnsignedCall,
): Promise<IssuedCredentials> {
  const { kind } = webIdentityMode(sent.get('RoleArn'), call.dependencies);
  const table: typeof tokenHolderParameters =
    kind === 'provider' ? tokenHolderParameters : trustPolicyParameters;
  call.trace.add({ operation: tokenHolderAction });
  call.trace.add(askedFor(sent, table));
  const { identity, grant, session } = await issueToTokenHolder(
    keptParameters(sent, table, call.trace),
    call,
  );
  call.trace.answered?.({
    SubjectFromWebIdentityToken: identity.subject,
    Audience: identity.audience,
    Provider: identity.issuer,
    AssumedRoleUser: grant.assumedRoleUser,
    Credentials: session.credentials,
  });
  return session.credentials;
}
