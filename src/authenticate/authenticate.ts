import { AuthenticationFault } from '../core/authentication-fault.ts';
import type { RawRequest } from '../core/raw-request.ts';
import type { Directory } from '../directory/directory.ts';
import { emptySha256, type PayloadMode, unsignedPayload } from '../sigv4/payload-mode.ts';
import type { SigningKeyCache } from '../sigv4/signing-key.ts';
import { readSignedRequest, type SignedRequest, verifySignature } from '../sigv4/verify.ts';
import type { SessionOpener } from '../tokens/open.ts';
import type { Caller } from './caller.ts';
import { resolveCredentials } from './resolve-credentials.ts';
import { type HeaderSigned, requireHeaderScheme } from './scheme.ts';

/** What authentication looks things up in; all of one configuration snapshot. */
export interface AuthenticationSources {
  readonly directory: Directory;
  readonly sessions: SessionOpener;
  readonly signingKeys: SigningKeyCache;
  /** Regions a credential scope may name; empty allows every region. */
  readonly allowedRegions: ReadonlySet<string>;
}

class AuthenticatedRequest {
  // A private field makes the type nominal: no object literal and no other class can stand in for it.
  readonly #raw: RawRequest;
  readonly caller: Caller;
  readonly payload: PayloadMode;
  /** The region of the verified credential scope; may be empty for STS. */
  readonly region: string;

  constructor(raw: RawRequest, caller: Caller, payload: PayloadMode, region: string) {
    this.#raw = raw;
    this.caller = caller;
    this.payload = payload;
    this.region = region;
  }

  /** The request whose signature was verified. */
  get raw(): RawRequest {
    return this.#raw;
  }
}

/**
 * Proof that the signature of `raw` was verified for `caller`. The class is not exported: only this file makes
 * one.
 */
export type Authenticated = AuthenticatedRequest;

/**
 * Authenticates an S3 request. The body is not looked at: `payload` says how it is bound to the signature.
 * Throws {@link AuthenticationFault}.
 */
export async function authenticateS3(
  { raw }: HeaderSigned,
  allowsStreaming: boolean,
  sources: AuthenticationSources,
): Promise<Authenticated> {
  const signed = readSignedRequest(raw, { service: 's3', payloadHash: 'required', allowsStreaming });
  const payload = signed.payload ?? { kind: 'digest', sha256: emptySha256 };
  const declared = raw.headers.get('x-amz-content-sha256') ?? unsignedPayload;
  return verify(signed, payload, declared, sources);
}

/**
 * Authenticates an STS request whose whole body has been read; `bodySha256` is its digest in lower-case hex.
 * Clients may leave `x-amz-content-sha256` out, but may not send anything but that digest.
 * Throws {@link AuthenticationFault}.
 */
export async function authenticateSts(
  raw: RawRequest,
  bodySha256: string,
  sources: AuthenticationSources,
): Promise<Authenticated> {
  requireHeaderScheme(raw);
  const signed = readSignedRequest(raw, { service: 'sts', payloadHash: 'optional', allowsStreaming: false });
  const { payload } = signed;
  if (payload !== undefined && (payload.kind !== 'digest' || payload.sha256 !== bodySha256)) {
    throw new AuthenticationFault('payload_hash_mismatch', { accessKeyId: signed.accessKeyId });
  }
  const declared = raw.headers.get('x-amz-content-sha256') ?? bodySha256;
  return verify(signed, { kind: 'digest', sha256: bodySha256 }, declared, sources);
}

async function verify(
  signed: SignedRequest,
  payload: PayloadMode,
  payloadHash: string,
  sources: AuthenticationSources,
): Promise<Authenticated> {
  const { region } = signed.scope;
  if (sources.allowedRegions.size > 0 && !sources.allowedRegions.has(region)) {
    throw new AuthenticationFault('region_not_allowed', {
      message: `the region '${region.slice(0, 64)}' is wrong`,
      accessKeyId: signed.accessKeyId,
    });
  }
  const credentials = await resolveCredentials(signed, sources.directory, sources.sessions);
  verifySignature(signed, credentials.secretAccessKey, payloadHash, sources.signingKeys);
  return new AuthenticatedRequest(signed.raw, credentials.identify(), payload, region);
}
