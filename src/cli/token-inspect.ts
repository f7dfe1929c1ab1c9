import { identifySession } from '../authenticate/identify-session.ts';
import { loadConfiguration } from '../config/load.ts';
import type { Settings } from '../config/settings.ts';
import { AuthenticationFault } from '../core/authentication-fault.ts';
import { type Clock, isoSeconds } from '../core/clock.ts';
import { buildDirectory } from '../directory/directory.ts';
import type { DirectoryRecords } from '../directory/records.ts';
import { RevocationIndex } from '../revocation/revocation-index.ts';
import { RevocationNames } from '../revocation/revocation-names.ts';
import { createKeyRing } from '../tokens/key-ring.ts';
import { SessionOpener } from '../tokens/open.ts';
import type { SessionClaims } from '../tokens/session-claims.ts';
import { exitCodes, type Terminal } from './terminal.ts';

/** The status of a session token now, under one configuration. */
type TokenStatus = 'valid' | 'expired' | 'revoked' | 'principal-gone';

/**
 * Prints what a session token says, as JSON. The seed that its secret access key is made of is left out. Exit code 0
 * for a token of this key ring, valid or not, 1 for any other text, 2 for an invalid configuration.
 */
export async function inspectToken(
  configuration: string,
  token: string,
  terminal: Terminal,
  clock: Clock,
): Promise<number> {
  const loaded = loadConfiguration(configuration, {});
  if (!loaded.ok) {
    for (const problem of loaded.problems) terminal.prose(problem);
    return exitCodes.badConfiguration;
  }
  const { settings, directory } = loaded;
  const opener = new SessionOpener(createKeyRing(settings.tokens.keys, settings.tokens.sealWith));
  const session = opener.open(token.trim());
  if (session === undefined) {
    terminal.prose('not a session token that a key of this configuration sealed');
    return exitCodes.failure;
  }
  const { claims } = session;
  const arn = arnOf(claims, directory);
  const status = statusOf(claims, arn, settings, { directory, nowMs: clock.now() });
  terminal.data(JSON.stringify({ status, arn, ...shown(claims) }, undefined, 2));
  if (status === 'valid') terminal.prose('revocations added at run time are not checked');
  return exitCodes.ok;
}

function arnOf(claims: SessionClaims, records: DirectoryRecords): string | undefined {
  try {
    return identifySession(claims, buildDirectory(records)).arn;
  } catch (error) {
    if (error instanceof AuthenticationFault) return undefined;
    throw error;
  }
}

function statusOf(
  claims: SessionClaims,
  arn: string | undefined,
  { revocations }: Settings,
  { directory, nowMs }: { readonly directory: DirectoryRecords; readonly nowMs: number },
): TokenStatus {
  const names = new RevocationNames(directory);
  const resolved = revocations.map((record) => names.resolve(record)).filter((one) => 'keys' in one);
  if (nowMs >= claims.expiresAt * 1000) return 'expired';
  if (new RevocationIndex(resolved).revokes(claims)) return 'revoked';
  return arn === undefined ? 'principal-gone' : 'valid';
}

/** The claims under readable names. */
function shown(claims: SessionClaims): Record<string, unknown> {
  const { principal, issuedAt, expiresAt, policy, mfaAuthenticatedAt } = claims;
  const { sessionId, accessKeyId, policyArns, policyNames, tags, sourceIdentity, federation } = claims;
  return {
    sessionId,
    accessKeyId,
    principal,
    issuedAt: isoSeconds(issuedAt * 1000),
    expiresAt: isoSeconds(expiresAt * 1000),
    mfaAuthenticatedAt: mfaAuthenticatedAt && isoSeconds(mfaAuthenticatedAt * 1000),
    sessionPolicy: policy,
    sessionPolicyArns: policyArns,
    policyNames,
    tags,
    sourceIdentity,
    federation,
    scopeDownPolicies: claims.scopeDown,
    ancestors: claims.ancestors?.map(({ sessionId: id, issuedAt: at, ...whose }) => ({
      sessionId: id,
      issuedAt: isoSeconds(at * 1000),
      ...whose,
    })),
  };
}
