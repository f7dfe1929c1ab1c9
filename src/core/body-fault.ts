/** What was wrong with the client's body. */
export type BodyReason =
  | 'length_missing'
  | 'length_invalid'
  | 'too_large'
  | 'document_too_large'
  | 'unexpected'
  | 'incomplete'
  | 'idle'
  | 'digest_mismatch'
  | 'md5_mismatch'
  | 'chunk_malformed'
  | 'chunk_too_small'
  | 'trailer_malformed'
  | 'trailer_unsupported'
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
