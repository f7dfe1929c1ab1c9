import type { ChunkSeed } from './chunk-signatures.ts';
import type { PayloadMode, SignedChunks } from './payload-mode.ts';

/** The payload mode of a request whose signature was verified, with what it takes to verify the body. */
export type VerifiablePayload =
  | Exclude<PayloadMode, SignedChunks>
  | (SignedChunks & { readonly seed: ChunkSeed })
  /** The file of a form, which is not signed. `delimiter` stands after it: CRLF, two hyphens and the boundary. */
  | { readonly kind: 'form-file'; readonly delimiter: Buffer };

/** True when a trailer with a checksum follows the body. */
export function hasTrailer(payload: VerifiablePayload): boolean {
  return payload.kind === 'unsigned-trailer' || (payload.kind === 'signed-chunks' && payload.hasTrailer);
}
