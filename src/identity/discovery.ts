import { isMapping } from '../core/mapping.ts';
import { askProvider, type IdentityTools } from './ask-provider.ts';
import { unusableKeys } from './key-fault.ts';
import { readKeySet, type VerificationKey } from './verification-key.ts';

/** Largest accepted discovery document and key set; real ones have a few kilobytes. */
const maxDocumentBytes = 262_144;

/** The provider whose keys are fetched, and the tools for it. */
export interface KeyOwner {
  /** The configured name. */
  readonly name: string;
  readonly issuer: string;
}

/** The result of discovery. */
export interface Discovery {
  readonly keys: readonly VerificationKey[];
  /** The UserInfo endpoint; `undefined` when the document names none. */
  readonly userInfoEndpoint: string | undefined;
}

/** The keys that {@link discover} finds. */
export async function discoverKeys(
  owner: KeyOwner,
  tools: IdentityTools,
): Promise<readonly VerificationKey[]> {
  const { keys } = await discover(owner, tools);
  return keys;
}

/**
 * Reads an issuer's discovery document and fetches the keys that it names (OpenID Connect Discovery 1.0, sections 4 and 3). The
 * document must name the same issuer.
 * @throws OutboundFault
 * @throws IdentityFault `no_key`
 */
export async function discover({ name, issuer }: KeyOwner, tools: IdentityTools): Promise<Discovery> {
  const document = await askProvider(tools, name, 'discovery', {
    url: `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
    maxBytes: maxDocumentBytes,
  });
  if (!isMapping(document)) throw unusableKeys('the discovery document is no JSON object');
  if (document['issuer'] !== issuer) throw unusableKeys('the discovery document names another issuer');
  const url = document['jwks_uri'];
  if (typeof url !== 'string') throw unusableKeys('the discovery document names no jwks_uri');
  const keys = await askProvider(tools, name, 'jwks', { url, namedBy: issuer, maxBytes: maxDocumentBytes });
  const userInfo = document['userinfo_endpoint'];
  return {
    keys: await usableKeys(keys, name, tools),
    userInfoEndpoint: typeof userInfo === 'string' ? userInfo : undefined,
  };
}

/**
 * Reads the keys of a fetched key set.
 * @throws IdentityFault `no_key` when there are none
 */
export async function usableKeys(
  value: unknown,
  name: string,
  tools: IdentityTools,
): Promise<readonly VerificationKey[]> {
  const keys = await readKeySet(value);
  if (keys === undefined || keys.length === 0) throw unusableKeys('the key set holds no usable key');
  tools.observer.keysRefreshed(name, Math.floor(tools.clock.now() / 1000));
  return keys;
}
