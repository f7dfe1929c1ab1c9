/** What was wrong with the client's body. */
export type BodyReason =
  | 'length_missing'
  | 'length_invalid'
  | 'too_large'
  | 'document_too_large'
  | 'unexpected'
  | 'incomplete'
  /** It came too slowly. */
  | 'idle'
  /** It came in thousands of pieces of a few bytes. */
  | 'fragmented'
  | 'digest_mismatch'
  | 'md5_invalid'
  | 'md5_mismatch'
  | 'chunk_malformed'
  | 'chunk_too_small'
  | 'chunk_signature_mismatch'
  | 'trailer_malformed'
  | 'trailer_unsupported'
  | 'form_head_too_large'
  /** Something follows the file of a form, or its delimiter stands inside of it. */
  | 'form_continues'
  | 'checksum_invalid'
  | 'checksum_mismatch';

/** The client's body is not what its head or its signature promised; the upload was not completed. */
export class BodyFault extends Error {
  override readonly name = 'BodyFault';
  readonly reason: BodyReason;

  constructor(reason: BodyReason) {
    super(reason);
    this.reason = reason;
  }
}
