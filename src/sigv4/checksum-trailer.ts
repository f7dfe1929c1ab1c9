import { BodyFault } from '../core/body-fault.ts';
import { equalBytes } from '../core/bytes.ts';
import type { HeaderList } from '../core/header-list.ts';
import { type ChecksumAlgorithm, checksumAlgorithmOf, parseChecksum } from './checksum.ts';

/** The one checksum that `x-amz-trailer` announces. */
export interface AnnouncedTrailer {
  /** `x-amz-checksum-crc32` and the like. */
  readonly name: string;
  readonly algorithm: ChecksumAlgorithm;
}

/**
 * Reads `x-amz-trailer`: exactly one checksum, which is not also sent as a header.
 * @throws BodyFault `trailer_malformed` when it is missing, `trailer_unsupported` otherwise
 */
export function readAnnouncedTrailer(headers: HeaderList): AnnouncedTrailer {
  const values = headers.getAll('x-amz-trailer');
  const [value = ''] = values;
  if (value === '') throw new BodyFault('trailer_malformed');
  const name = value.toLowerCase();
  const algorithm = checksumAlgorithmOf(name);
  if (values.length > 1 || algorithm === undefined) throw new BodyFault('trailer_unsupported');
  const hasHeader = [...headers].some((field) => checksumAlgorithmOf(field.name) !== undefined);
  if (hasHeader) throw new BodyFault('trailer_unsupported');
  return { name, algorithm };
}

/**
 * Compares the trailer that arrived with the announced checksum of the data.
 * @throws BodyFault `trailer_malformed` when it is missing, not a checksum, or not alone; `checksum_mismatch`
 */
export function verifyTrailer(
  announced: AnnouncedTrailer,
  trailers: ReadonlyMap<string, string>,
  computed: Buffer,
): void {
  const text = trailers.get(announced.name);
  const sent = text === undefined ? undefined : parseChecksum(announced.algorithm, text);
  if (sent === undefined || trailers.size !== 1) throw new BodyFault('trailer_malformed');
  if (!equalBytes(sent, computed)) throw new BodyFault('checksum_mismatch');
}
