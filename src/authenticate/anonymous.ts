import { AuthenticationFault } from '../core/authentication-fault.ts';
import type { RawRequest } from '../core/raw-request.ts';
import { parsePayloadMode } from '../sigv4/payload-mode.ts';
import { readPayloadMode, refuseRepeats } from '../sigv4/signed-request.ts';
import type { VerifiablePayload } from '../sigv4/verifiable-payload.ts';
import type { AnonymousCaller } from './caller.ts';
import { hasNoCredentials } from './scheme.ts';

/** What is known of an anonymous request beside its head. */
export interface AnonymousFacts {
  /** The network that it comes from. */
  readonly network: string;
  /** The region that it counts for, since no signature names one. */
  readonly region: string;
  /** True for an operation whose body may be aws-chunked. */
  readonly allowsStreaming: boolean;
}

class AnonymousRequest {
  // A private field makes the type nominal: no object literal and no other class can stand in for it.
  readonly #raw: RawRequest;
  readonly form = 'none';
  readonly caller: AnonymousCaller;
  readonly payload: VerifiablePayload;
  /** What the request says about its payload; `undefined` when it says nothing. */
  readonly payloadHash: string | undefined;
  readonly region: string;

  constructor(raw: RawRequest, payloadHash: string | undefined, facts: AnonymousFacts) {
    this.#raw = raw;
    this.caller = { kind: 'anonymous', network: facts.network };
    this.payload =
      payloadHash === undefined ? { kind: 'unsigned' } : readUnsigned(payloadHash, facts.allowsStreaming);
    this.payloadHash = payloadHash;
    this.region = facts.region;
  }

  get raw(): RawRequest {
    return this.#raw;
  }

  /** Nothing of an anonymous request expires. */
  recheck(): void {}
}

/** Proof that a request carries no credentials. The class is not exported: only this file makes one. */
export type Anonymous = AnonymousRequest;

/**
 * Takes a request without credentials as that of an anonymous caller. Its `x-amz-content-sha256`, where it has one, is verified as that
 * of a signed request.
 * @throws AuthenticationFault `no_credentials` for a request that says it is signed, by part of a signature, a session token or the
 * name of a signed payload; `duplicate_header`, `payload_hash_invalid`, `streaming_not_allowed`
 */
export function acceptAnonymous(raw: RawRequest, facts: AnonymousFacts): Anonymous {
  if (!hasNoCredentials(raw)) throw new AuthenticationFault('no_credentials');
  refuseRepeats(raw);
  return new AnonymousRequest(raw, raw.headers.get('x-amz-content-sha256'), facts);
}

// The chunks of the other streaming payloads are signed with a key that there is none of.
function readUnsigned(value: string, allowsStreaming: boolean): VerifiablePayload {
  const mode = parsePayloadMode(value);
  if (mode === 'v4a-chunks' || mode?.kind === 'signed-chunks')
    throw new AuthenticationFault('no_credentials');
  const payload = readPayloadMode(value, allowsStreaming);
  if (payload.kind === 'signed-chunks') throw new AuthenticationFault('no_credentials');
  return payload;
}
