import { AuthenticationFault } from '../core/authentication-fault.ts';
import type { RawRequest } from '../core/raw-request.ts';
import type { Directory } from '../directory/directory.ts';
import { type PayloadMode, parsePayloadMode } from '../sigv4/payload-mode.ts';
import { readPayloadMode, refuseRepeats } from '../sigv4/signed-request.ts';
import type { AnonymousFacts } from './anonymous.ts';
import { readS3Signature } from './authenticate.ts';
import type { AnonymousCaller } from './caller.ts';
import { hasNoCredentials, type SignatureClaim } from './scheme.ts';

class StoresRequest {
  // A private field makes the type nominal: no object literal and no other class can stand in for it.
  readonly #raw: RawRequest;
  readonly form = 'none';
  readonly decidedBy = 'store';
  readonly caller: AnonymousCaller;
  /** How the body is framed and, where the client says so, its digest; its signatures are the store's to verify. */
  readonly payload: PayloadMode;
  readonly payloadHash: string | undefined;
  readonly region: string;
  /** The key that it names, which nothing here has verified. */
  readonly accessKeyId: string | undefined;

  /** The request as it arrived, with the parameters of its signature. */
  readonly arrived: RawRequest;

  constructor(
    { raw, arrived }: Pick<StoresRequest, 'raw' | 'arrived'>,
    { network, region }: Pick<AnonymousFacts, 'network' | 'region'>,
    declared: Pick<StoresRequest, 'payload' | 'payloadHash' | 'accessKeyId'>,
  ) {
    this.#raw = raw;
    this.arrived = arrived;
    this.caller = { kind: 'anonymous', network };
    this.region = region;
    this.payload = declared.payload;
    this.payloadHash = declared.payloadHash;
    this.accessKeyId = declared.accessKeyId;
  }

  /** What is asked for; see {@link SignatureClaim}. */
  get raw(): RawRequest {
    return this.#raw;
  }

  /** Whatever ends, ends at the store. */
  recheck(): void {}
}

/**
 * Proof that a request carries nothing that the sidecar could verify, and nothing that belongs to the sidecar, so that the store may
 * authenticate it. The class is not exported: only this file makes one.
 */
export type ForStore = StoresRequest;

/** What tells the sidecar's own credentials from those of others. */
export interface OwnKeys {
  readonly directory: Directory;
  /** The id of the key that the sidecar has at the store. */
  readonly storeAccessKeyId: string;
}

/**
 * Leaves a request without any credentials to the store.
 * @throws AuthenticationFault as {@link acceptAnonymous}
 */
export function leaveUnsigned(raw: RawRequest, facts: AnonymousFacts): ForStore {
  if (!hasNoCredentials(raw)) throw new AuthenticationFault('no_credentials');
  refuseRepeats(raw);
  const payloadHash = raw.headers.get('x-amz-content-sha256');
  const mode = payloadHash === undefined ? undefined : parsePayloadMode(payloadHash);
  if (mode === 'v4a-chunks' || mode?.kind === 'signed-chunks')
    throw new AuthenticationFault('no_credentials');
  const payload: PayloadMode =
    payloadHash === undefined ? { kind: 'unsigned' } : readPayloadMode(payloadHash, facts.allowsStreaming);
  return new StoresRequest({ raw, arrived: raw }, facts, { payload, payloadHash, accessKeyId: undefined });
}

/**
 * Leaves a request that is signed with a key which the sidecar does not know to the store. `undefined` for one that the sidecar must
 * judge itself: with a session token, a key of the directory, of the form of temporary keys, or the sidecar's own at the store.
 * @throws AuthenticationFault for what no signature may look like
 */
export function leaveUnknownKey(
  claim: SignatureClaim,
  facts: AnonymousFacts,
  own: OwnKeys,
): ForStore | undefined {
  const { accessKeyId, payload, payloadHash, securityToken } = readS3Signature(claim, facts.allowsStreaming);
  if (securityToken !== undefined || namesToken(claim.raw) || isOwn(accessKeyId, own)) return undefined;
  if (payload === undefined) throw new AuthenticationFault('payload_hash_missing');
  const requests = { raw: claim.request, arrived: claim.raw };
  return new StoresRequest(requests, facts, { payload, payloadHash, accessKeyId });
}

const tokenName = 'x-amz-security-token';

function namesToken({ headers, parameters }: RawRequest): boolean {
  return headers.has(tokenName) || parameters.some(({ name }) => name.toLowerCase() === tokenName);
}

function isOwn(accessKeyId: string, { directory, storeAccessKeyId }: OwnKeys): boolean {
  const upper = accessKeyId.toUpperCase();
  return (
    directory.accessKey(accessKeyId) !== undefined ||
    upper.startsWith('ASIA') ||
    upper === storeAccessKeyId.toUpperCase()
  );
}
