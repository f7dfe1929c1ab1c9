import { createHash } from 'node:crypto';
import { systemRandomness } from '../../core/randomness.ts';
import { type Answer, emptyAnswer, xmlAnswer } from './answer.ts';
import {
  type ChecksumAlgorithm,
  checksumHeader,
  checksumOf,
  parseChecksumAlgorithm,
  verifyIntegrity,
} from './checksum.ts';
import { bucketOf, type ChecksumType, type Contents, type Upload } from './contents.ts';
import { storeError } from './errors.ts';
import { keptHeaders } from './object-headers.ts';
import { checkHasLength, type StoreCall } from './store-call.ts';
import { readTaggingHeader } from './tagging.ts';

const maxPartNumber = 10_000;

/** CreateMultipartUpload. Throws InvalidRequest for a checksum algorithm or type that does not exist. */
export function createMultipartUpload(call: StoreCall, contents: Contents): Answer {
  const bucket = bucketOf(contents, call.bucketName);
  const checksumAlgorithm = readAlgorithm(call);
  const checksumType = readType(call, checksumAlgorithm);
  const uploadId = Buffer.from(systemRandomness.bytes(16)).toString('hex');
  bucket.uploads.set(uploadId, {
    uploadId,
    key: call.key,
    initiatedMs: call.nowMs,
    headers: keptHeaders(call.headers),
    checksumAlgorithm,
    checksumType,
    tags: readTaggingHeader(call),
    parts: new Map(),
  });
  const checksumHeaders =
    checksumAlgorithm === undefined
      ? {}
      : { 'x-amz-checksum-algorithm': checksumAlgorithm, 'x-amz-checksum-type': checksumType };
  const result = { Bucket: bucket.name, Key: call.key, UploadId: uploadId };
  return xmlAnswer('InitiateMultipartUploadResult', result, checksumHeaders);
}

function readAlgorithm(call: StoreCall): ChecksumAlgorithm | undefined {
  const name = call.headers.get('x-amz-checksum-algorithm');
  const algorithm = name === undefined ? undefined : parseChecksumAlgorithm(name);
  if (name !== undefined && algorithm === undefined) {
    throw storeError('InvalidRequest', { message: 'checksum algorithm provided is unsupported' });
  }
  return algorithm;
}

// Source: AWS "Checking object integrity": CRC64NVME only for the whole object, SHA only part by part.
function readType(call: StoreCall, algorithm: ChecksumAlgorithm | undefined): ChecksumType {
  const natural = algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE';
  const asked = call.headers.get('x-amz-checksum-type') ?? natural;
  if (asked === natural) return natural;
  if (asked === 'FULL_OBJECT' && (algorithm === 'CRC32' || algorithm === 'CRC32C')) return asked;
  throw storeError('InvalidRequest', { message: 'the checksum type cannot be used with the algorithm' });
}

/** The upload a request names. Throws NoSuchUpload, also when it belongs to another key. */
export function uploadOf(call: StoreCall, contents: Contents): Upload {
  const uploadId = call.query.get('uploadId') ?? '';
  const upload = bucketOf(contents, call.bucketName).uploads.get(uploadId);
  if (upload === undefined || upload.key !== call.key) {
    throw storeError('NoSuchUpload', { fields: { UploadId: uploadId } });
  }
  return upload;
}

/** UploadPart; a part sent again replaces the earlier one. Throws InvalidArgument, InvalidRequest, BadDigest. */
export function uploadPart(call: StoreCall, contents: Contents): Answer {
  checkHasLength(call);
  const partNumber = readPartNumber(call.query.get('partNumber') ?? '');
  const upload = uploadOf(call, contents);
  const claimed = verifyIntegrity(call.headers, call.body);
  const algorithm = upload.checksumAlgorithm ?? claimed?.algorithm;
  if (claimed !== undefined && claimed.algorithm !== algorithm) {
    throw storeError('InvalidRequest', {
      message: 'the checksum algorithm differs from that of the upload',
    });
  }
  const checksum = algorithm === undefined ? undefined : checksumOf(algorithm, call.body);
  const etag = createHash('md5').update(call.body).digest('hex');
  upload.parts.set(partNumber, { partNumber, body: call.body, etag, lastModifiedMs: call.nowMs, checksum });
  return emptyAnswer(200, {
    etag: `"${etag}"`,
    ...(checksum === undefined ? {} : { [checksumHeader(checksum.algorithm)]: checksum.value }),
  });
}

/** Reads a part number. Throws InvalidArgument. */
export function readPartNumber(text: string): number {
  const partNumber = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : 0;
  if (partNumber >= 1 && partNumber <= maxPartNumber) return partNumber;
  throw storeError('InvalidArgument', {
    message: `part number must be an integer between 1 and ${maxPartNumber}, inclusive`,
    fields: { ArgumentName: 'partNumber', ArgumentValue: text },
  });
}

/** AbortMultipartUpload: the parts are gone. */
export function abortMultipartUpload(call: StoreCall, contents: Contents): Answer {
  const { uploadId } = uploadOf(call, contents);
  bucketOf(contents, call.bucketName).uploads.delete(uploadId);
  return emptyAnswer(204);
}
