/** aws-chunked with a signature on each chunk; `hasTrailer` when a signed checksum follows them in a trailer. */
export interface SignedChunks {
  readonly kind: 'signed-chunks';
  readonly hasTrailer: boolean;
}

/** How the body of a request is bound to its signature. */
export type PayloadMode =
  /** The body's SHA-256 is signed. */
  | { readonly kind: 'digest'; readonly sha256: string }
  /** The body is not signed. */
  | { readonly kind: 'unsigned' }
  /** aws-chunked; the chunks are not signed, a checksum follows them in a trailer. */
  | { readonly kind: 'unsigned-trailer' }
  | SignedChunks;

/** The value that leaves the body out of the signature. */
export const unsignedPayload = 'UNSIGNED-PAYLOAD';

/** The value that announces unsigned chunks with a checksum trailer. */
export const unsignedTrailer = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';

/** The digest of an empty body. */
export const emptySha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/**
 * Parses `x-amz-content-sha256`. `v4a-chunks` for chunks signed with Signature V4A, which no request here can have;
 * `undefined` for a value that AWS does not define.
 */
export function parsePayloadMode(value: string): PayloadMode | 'v4a-chunks' | undefined {
  if (/^[0-9a-fA-F]{64}$/.test(value)) return { kind: 'digest', sha256: value.toLowerCase() };
  switch (value) {
    case unsignedPayload:
      return { kind: 'unsigned' };
    case unsignedTrailer:
      return { kind: 'unsigned-trailer' };
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD':
      return { kind: 'signed-chunks', hasTrailer: false };
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER':
      return { kind: 'signed-chunks', hasTrailer: true };
    case 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD':
    case 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER':
      return 'v4a-chunks';
    default:
      return undefined;
  }
}
