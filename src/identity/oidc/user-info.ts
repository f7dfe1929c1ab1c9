import { Secret } from '../../core/secret.ts';
import type { OutboundRequest } from '../../outbound/guarded-fetch.ts';
import { OutboundFault } from '../../outbound/outbound-fault.ts';
import { askProvider, type IdentityTools } from '../ask-provider.ts';
import { isAwsClaim } from '../aws-claims.ts';
import { IdentityFault } from '../identity-fault.ts';
import { isJsonObject, type JsonObject } from '../unverified-token.ts';

/** Largest answer that is read; real ones have a few kilobytes. */
const maxAnswerBytes = 262_144;

/**
 * Claims that are about a token or a sign-in and not about a user (RFC 7519, section 4.1; OpenID Connect Core 1.0, section
 * 2): only the signed token can say them, in whatever case: policies compare the names of claims without it.
 */
const tokenClaims: ReadonlySet<string> = new Set([
  'iss',
  'sub',
  'aud',
  'exp',
  'nbf',
  'iat',
  'jti',
  'auth_time',
  'nonce',
  'acr',
  'amr',
  'azp',
]);

/** Whom a provider is asked about, and how. */
export interface UserInfoQuestion {
  readonly provider: string;
  readonly issuer: string;
  /** As the provider's own discovery document names it. */
  readonly endpoint: string | undefined;
  /** Claims of the id token, verified. */
  readonly claims: JsonObject;
  readonly subject: string;
  readonly accessToken: string | undefined;
}

/**
 * The claims of an id token together with what the provider says about its user (OpenID Connect Core 1.0, section 5.3);
 * the token's own win, and session tags and source identity are left out. Throws `IdentityFault`: `bad_claims` without an access token or with somebody else's,
 * `provider_rejected`, `provider_unreachable` and `bad_answer`.
 */
export async function withUserInfo(question: UserInfoQuestion, tools: IdentityTools): Promise<JsonObject> {
  const { provider, issuer, claims, subject, endpoint, accessToken } = question;
  if (accessToken === undefined) {
    throw new IdentityFault('bad_claims', 'The identity provider needs the parameter WebIdentityAccessToken');
  }
  if (endpoint === undefined) throw unusable('the discovery document names no userinfo_endpoint');
  const bearer = new Secret(accessToken);
  const outgoing = { url: endpoint, namedBy: issuer, bearer, maxBytes: maxAnswerBytes };
  const answer = await ask(provider, outgoing, tools);
  if (!isJsonObject(answer)) throw unusable('UserInfo answered with something else than an object');
  // Without this, anybody's access token would add its owner's claims to the holder's.
  if (answer['sub'] !== subject) {
    throw new IdentityFault('bad_claims', 'The access token belongs to another subject than the ID token');
  }
  const added = Object.entries(answer).filter(
    ([name]) => !tokenClaims.has(name.toLowerCase()) && !isAwsClaim(name),
  );
  return { ...Object.fromEntries(added), ...claims };
}

async function ask(provider: string, question: OutboundRequest, tools: IdentityTools): Promise<unknown> {
  try {
    return await askProvider(tools, provider, 'userinfo', question);
  } catch (cause) {
    if (!(cause instanceof OutboundFault)) throw cause;
    const facts = { detail: `UserInfo failed: ${cause.message}`, cause };
    if (cause.isTransient) {
      throw new IdentityFault('provider_unreachable', 'The identity provider could not be reached', facts);
    }
    if (cause.reason !== 'rejected') throw unusable(facts.detail, cause);
    throw new IdentityFault('provider_rejected', 'The identity provider rejected the access token', facts);
  }
}

function unusable(detail: string, cause?: unknown): IdentityFault {
  return new IdentityFault('bad_answer', "Couldn't retrieve claims from your identity provider", {
    detail,
    cause,
  });
}
