/*
 * This folder finds out who sends a request.
 * In: a `RawRequest`; the directory, the session tokens and the revocations of one configuration.
 * Out: `Authenticated`, which names the caller and is proof of a valid signature, or an `AuthenticationFault`.
 * It never names a caller before the signature is verified.
 * It never reads a body, and never decides what the caller may do.
 */

import { AuthenticationFault } from '../core/authentication-fault.ts';
import { type MaybePromise, whenReady } from '../core/maybe-promise.ts';
import type { RawRequest } from '../core/raw-request.ts';
import { readFormSignature, type SignedForm, verifyFormSignature } from '../sigv4/form-signature.ts';
import { readHeaderSignature } from '../sigv4/header-signature.ts';
import { type PayloadMode, unsignedPayload } from '../sigv4/payload-mode.ts';
import { readPresignedQuery } from '../sigv4/presigned-query.ts';
import type { SignatureRules, SignedRequest } from '../sigv4/signed-request.ts';
import type { SigningKeyCache } from '../sigv4/signing-key.ts';
import type { VerifiablePayload } from '../sigv4/verifiable-payload.ts';
import { verifySignature } from '../sigv4/verify.ts';
import type { Caller } from './caller.ts';
import {
  type CredentialSources,
  type ResolvedCredentials,
  resolveCredentials,
} from './resolve-credentials.ts';
import { requireSignature, type SignatureClaim, type SignatureForm } from './scheme.ts';

/** What one configuration authenticates requests with. */
export interface AuthenticationSources extends CredentialSources {
  readonly signingKeys: SigningKeyCache;
  /** Regions a credential scope may name; empty allows every region. */
  readonly allowedRegions: ReadonlySet<string>;
  /** Regions that a credential scope for STS may not name. */
  readonly disabledStsRegions: ReadonlySet<string>;
}

interface DeclaredPayload {
  readonly payload: PayloadMode;
  readonly payloadHash: string;
}

/** What a verified signature says. */
interface VerifiedFacts {
  readonly request: RawRequest;
  readonly form: SignatureForm;
  readonly signed: Pick<SignedRequest, 'scope' | 'signedAtMs'>;
  readonly payload: VerifiablePayload;
  readonly payloadHash: string;
}

class AuthenticatedRequest {
  // A private field makes the type nominal: no object literal and no other class can stand in for it.
  readonly #request: RawRequest;
  readonly #recheck: ResolvedCredentials['recheck'];
  readonly caller: Caller;
  readonly payload: VerifiablePayload;
  /** What the signature says about the payload: `x-amz-content-sha256`, or what stands for it. */
  readonly payloadHash: string;
  readonly form: SignatureForm;
  /** The region of the verified credential scope; may be empty for STS. */
  readonly region: string;
  /** When it was signed, milliseconds since the Unix epoch. */
  readonly signedAtMs: number;

  constructor({ identify, recheck }: ResolvedCredentials, facts: VerifiedFacts) {
    this.#request = facts.request;
    this.#recheck = recheck;
    this.form = facts.form;
    this.caller = identify();
    this.payload = facts.payload;
    this.payloadHash = facts.payloadHash;
    this.region = facts.signed.scope.region;
    this.signedAtMs = facts.signed.signedAtMs;
  }

  /** What the verified signature asks for; see {@link SignatureClaim} and {@link PostedForm}. */
  get raw(): RawRequest {
    return this.#request;
  }

  /**
   * Checks again that the caller's session is valid at `nowMs`, milliseconds since the Unix epoch. For use long after the
   * signature was verified, such as at the end of a slow body.
   * @throws AuthenticationFault `expired_token`, `revoked_token` or `revocations_unknown`
   */
  recheck(nowMs: number): void {
    this.#recheck(nowMs);
  }
}

/**
 * Proof that the signature of `raw` was verified for `caller`. The class is not exported: only this file makes
 * one.
 */
export type Authenticated = AuthenticatedRequest;

/**
 * Authenticates an S3 request without reading its body: `payload` says how the body is bound to the signature.
 * @throws AuthenticationFault
 */
export function authenticateS3(
  claim: SignatureClaim,
  allowsStreaming: boolean,
  sources: AuthenticationSources,
): MaybePromise<Authenticated> {
  const signed = readS3Signature(claim, allowsStreaming);
  const { payload, payloadHash } = signed;
  if (payload === undefined || payloadHash === undefined)
    throw new AuthenticationFault('payload_hash_missing');
  requireAllowedRegion(signed, sources);
  return verify(claim, signed, { payload, payloadHash }, sources);
}

/**
 * Reads the signature of an S3 request without verifying it.
 * @throws AuthenticationFault
 */
export function readS3Signature(claim: SignatureClaim, allowsStreaming: boolean): SignedRequest {
  return readSignature(claim, { service: 's3', payloadHash: 'required', allowsStreaming });
}

/** A form that was posted to a bucket, whose signature stands in its fields. */
export interface PostedForm {
  /** The request that carries it. */
  readonly raw: RawRequest;
  /** By lower-case name. */
  readonly fields: ReadonlyMap<string, string>;
  /** What stands after its file: CRLF, two hyphens and the boundary. */
  readonly delimiter: Buffer;
  /** Returns the request that it stands for. Called once its signature has been verified. */
  readonly toRequest: () => RawRequest;
}

/**
 * Authenticates a form. What its signature covers is its policy, which the form must be checked against next.
 * @throws AuthenticationFault, and what `toRequest` throws
 */
export function authenticateForm(
  { raw, fields, delimiter, toRequest }: PostedForm,
  sources: AuthenticationSources,
): MaybePromise<Authenticated> {
  const signed = readFormSignature(raw, fields);
  // AWS answers as for any wrong field: there is no Authorization header.
  requireAllowedRegion(signed, sources, 'malformed_form');
  return whenReady(resolveCredentials(signed, sources), (credentials) => {
    verifyFormSignature(signed, credentials.secretAccessKey, sources.signingKeys);
    const payload = { kind: 'form-file', delimiter } as const;
    const facts = { form: 'form', signed, payload, payloadHash: unsignedPayload } as const;
    return new AuthenticatedRequest(credentials, { ...facts, request: toRequest() });
  });
}

/**
 * Authenticates an STS request whose whole body has been read; `bodySha256` is its digest in lower-case hex.
 * Clients may leave `x-amz-content-sha256` out; if they send it, it must be that digest.
 * @throws AuthenticationFault
 */
export async function authenticateSts(
  raw: RawRequest,
  bodySha256: string,
  sources: AuthenticationSources,
): Promise<Authenticated> {
  const { claim, signed } = readStsSignature(raw, sources);
  const { payload, payloadHash = bodySha256 } = signed;
  if (payload?.kind === 'digest' && payload.sha256 !== bodySha256) throw wrongPayloadHash(signed);
  return verify(claim, signed, { payload: { kind: 'digest', sha256: bodySha256 }, payloadHash }, sources);
}

/**
 * Refuses from its head a signed STS request that {@link authenticateSts} would refuse with any body: a malformed or skewed
 * signature, an unknown key, a token that does not open or has expired. The caller is not authenticated yet: the signature
 * is not verified, and revocations are not checked. Only for actions that must be signed.
 * @throws AuthenticationFault
 */
export async function precheckSts(raw: RawRequest, sources: AuthenticationSources): Promise<void> {
  await resolveCredentials(readStsSignature(raw, sources).signed, sources);
}

function readStsSignature(
  raw: RawRequest,
  sources: AuthenticationSources,
): { readonly claim: SignatureClaim; readonly signed: SignedRequest } {
  const claim = requireSignature(raw);
  const signed = readSignature(claim, { service: 'sts', payloadHash: 'optional', allowsStreaming: false });
  if (sources.disabledStsRegions.has(signed.scope.region)) throw wrongRegion(signed);
  // STS hashes the body itself, and `UNSIGNED-PAYLOAD` is not its digest.
  if (signed.payload !== undefined && signed.payload.kind !== 'digest') throw wrongPayloadHash(signed);
  requireAllowedRegion(signed, sources);
  return { claim, signed };
}

function wrongPayloadHash({ accessKeyId }: SignedRequest): AuthenticationFault {
  return new AuthenticationFault('payload_hash_mismatch', { accessKeyId });
}

function readSignature(claim: SignatureClaim, rules: SignatureRules): SignedRequest {
  return claim.form === 'header'
    ? readHeaderSignature(claim.raw, rules)
    : readPresignedQuery(claim.raw, rules);
}

function verify(
  claim: SignatureClaim,
  signed: SignedRequest,
  declared: DeclaredPayload,
  sources: AuthenticationSources,
): MaybePromise<Authenticated> {
  return whenReady(resolveCredentials(signed, sources), (credentials) => {
    const { secretAccessKey } = credentials;
    const { payload, payloadHash } = declared;
    const seed = verifySignature(signed, secretAccessKey, payloadHash, sources.signingKeys);
    const { request, form } = claim;
    const verifiable = payload.kind === 'signed-chunks' ? { ...payload, seed } : payload;
    return new AuthenticatedRequest(credentials, { request, form, signed, payload: verifiable, payloadHash });
  });
}

function requireAllowedRegion(
  signed: SignedRequest | SignedForm,
  { allowedRegions }: AuthenticationSources,
  reason: RegionReason = 'region_not_allowed',
): void {
  if (allowedRegions.size > 0 && !allowedRegions.has(signed.scope.region)) throw wrongRegion(signed, reason);
}

type RegionReason = 'region_not_allowed' | 'malformed_form';

function wrongRegion(
  { scope, accessKeyId }: SignedRequest | SignedForm,
  reason: RegionReason = 'region_not_allowed',
): AuthenticationFault {
  const message = `the region '${scope.region.slice(0, 64)}' is wrong`;
  return new AuthenticationFault(reason, { message, accessKeyId });
}
