import { isMapping, type Mapping } from '../../core/mapping.ts';
import { Secret } from '../../core/secret.ts';
import { OutboundFault } from '../../outbound/outbound-fault.ts';
import type { OutboundRequest } from '../../outbound/outbound-request.ts';
import { askProvider, type IdentityTools } from '../ask-provider.ts';
import { isAwsClaim } from '../aws-claims.ts';
import { IdentityFault } from '../identity-fault.ts';
import { hasTooManyClaims, withoutMixedLists } from '../textual-claims.ts';
import type { UnverifiedToken } from '../unverified-token.ts';

/** Largest accepted response; real ones have a few kilobytes. */
const maxAnswerBytes = 262_144;

/**
 * Claims about the token or the sign-in rather than the user (RFC 7519, section 4.1; OpenID Connect Core 1.0, section 2). Only
 * the signed token may have them. The names are compared without case, because policies compare claim names without case.
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

/** A request to UserInfo. */
export interface UserInfoQuestion {
  readonly provider: string;
  readonly issuer: string;
  /** From the provider's own discovery document. */
  readonly endpoint: string | undefined;
  /** The verified ID token. Its claims are read when UserInfo has answered. */
  readonly token: Pick<UnverifiedToken, 'claims'>;
  readonly subject: string;
  readonly accessToken: string | undefined;
}

/**
 * Adds the claims of UserInfo to those of an ID token (OpenID Connect Core 1.0, section 5.3). Claims of the token take
 * precedence. Session tags and a source identity from UserInfo are ignored.
 * @throws IdentityFault `bad_claims` without an access token or with one of another user, `provider_rejected`,
 * `provider_unreachable` or `bad_answer`
 */
export async function withUserInfo(question: UserInfoQuestion, tools: IdentityTools): Promise<Mapping> {
  const { provider, issuer, token, subject, endpoint, accessToken } = question;
  if (accessToken === undefined) {
    throw new IdentityFault('bad_claims', 'The identity provider needs the parameter WebIdentityAccessToken');
  }
  if (endpoint === undefined) throw unusable('the discovery document names no userinfo_endpoint');
  const bearer = new Secret(accessToken);
  const outgoing = { url: endpoint, namedBy: issuer, bearer, maxBytes: maxAnswerBytes };
  const answer = await ask(provider, outgoing, tools);
  if (!isMapping(answer)) throw unusable('UserInfo answered with something else than an object');
  // Without this check, the access token of another user would add that user's claims to the session.
  if (answer['sub'] !== subject) {
    throw new IdentityFault('bad_claims', 'The access token belongs to another subject than the ID token');
  }
  if (hasTooManyClaims(answer)) {
    throw unusable('UserInfo answered with too many claims, or their names are too long');
  }
  const added = Object.entries(answer).filter(
    ([name]) => !tokenClaims.has(name.toLowerCase()) && !isAwsClaim(name),
  );
  // What no condition can use is not kept while the call waits for a turn of the event loop.
  return { ...withoutMixedLists(Object.fromEntries(added)), ...token.claims };
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
