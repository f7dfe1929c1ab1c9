import { createHash } from 'node:crypto';
import { uriEncode } from '../../core/uri-encode.ts';
import { childText, type XmlElement } from '../../core/xml.ts';
import { type Answer, xmlAnswer } from './answer.ts';
import { readDocument } from './bucket-operations.ts';
import { checksumElement, checksumOf, readClaimedChecksum } from './checksum.ts';
import { bucketOf, type Contents, type ObjectChecksum, type Upload, type UploadedPart } from './contents.ts';
import { storeError } from './errors.ts';
import { uploadOf } from './multipart-upload.ts';
import { checkWriteConditions } from './preconditions.ts';
import type { StoreCall } from './store-call.ts';

// 10,000 parts with a number, an entity tag and a checksum each.
const limits = { maxBytes: 4 * 1024 * 1024, maxDepth: 4 };
const minPartBytes = 5 * 1024 * 1024;

/**
 * CompleteMultipartUpload. Throws NoSuchUpload, MalformedXML, InvalidPart, InvalidPartOrder, EntityTooSmall,
 * InvalidRequest, BadDigest, PreconditionFailed; the upload stays open then.
 */
export function completeMultipartUpload(call: StoreCall, contents: Contents): Answer {
  const bucket = bucketOf(contents, call.bucketName);
  const upload = uploadOf(call, contents);
  const parts = selectParts(call.body, upload);
  const body = Buffer.concat(parts.map((part) => part.body));
  checkDeclaredSize(call, body.length);
  const checksum = wholeChecksum(upload, parts, body);
  const claimed = readClaimedChecksum(call.headers);
  if (claimed !== undefined && claimed.value !== checksumValue(checksum, claimed))
    throw storeError('BadDigest');
  checkWriteConditions(call.headers, upload.key, bucket.objects.get(upload.key));
  const { key, headers, tags } = upload;
  const etag = wholeEtag(parts);
  bucket.objects.set(key, { key, body, etag, lastModifiedMs: call.nowMs, headers, checksum, tags });
  bucket.uploads.delete(upload.uploadId);
  return xmlAnswer('CompleteMultipartUploadResult', {
    Location: `http://${call.headers.get('host') ?? ''}/${bucket.name}/${uriEncode(key, true)}`,
    Bucket: bucket.name,
    Key: key,
    ETag: `"${etag}"`,
    ...(checksum === undefined
      ? {}
      : { [checksumElement(checksum.algorithm)]: checksum.value, ChecksumType: checksum.type }),
  });
}

function selectParts(body: Buffer, upload: Upload): readonly UploadedPart[] {
  const listed = readDocument(body, 'CompleteMultipartUpload', limits).children;
  if (listed.length === 0) throw storeError('MalformedXML');
  const parts: UploadedPart[] = [];
  for (const element of listed) {
    const part = selectPart(element, upload);
    if (part.partNumber <= (parts.at(-1)?.partNumber ?? 0)) throw storeError('InvalidPartOrder');
    parts.push(part);
  }
  for (const part of parts.slice(0, -1)) {
    if (part.body.length >= minPartBytes) continue;
    throw storeError('EntityTooSmall', {
      fields: {
        PartNumber: String(part.partNumber),
        ETag: part.etag,
        ProposedSize: String(part.body.length),
        MinSizeAllowed: String(minPartBytes),
      },
    });
  }
  return parts;
}

function selectPart(element: XmlElement, upload: Upload): UploadedPart {
  const numberText = childText(element, 'PartNumber')?.trim() ?? '';
  const etag = childText(element, 'ETag')?.trim().replaceAll('"', '');
  if (element.name !== 'Part' || !/^\d{1,5}$/.test(numberText) || etag === undefined) {
    throw storeError('MalformedXML');
  }
  const part = upload.parts.get(Number(numberText));
  const { checksum } = part ?? {};
  const claimed =
    checksum === undefined ? undefined : childText(element, checksumElement(checksum.algorithm))?.trim();
  const isChecksumRight = claimed === undefined || claimed === checksum?.value;
  if (part === undefined || part.etag !== etag || !isChecksumRight) {
    throw storeError('InvalidPart', {
      fields: { UploadId: upload.uploadId, PartNumber: numberText, ETag: etag },
    });
  }
  return part;
}

function checkDeclaredSize(call: StoreCall, size: number): void {
  const declared = call.headers.get('x-amz-mp-object-size');
  if (declared === undefined || declared === String(size)) return;
  throw storeError('InvalidRequest', { message: 'the x-amz-mp-object-size is not the size of the object' });
}

// S3's tag of a multipart object: the MD5 of the parts' MD5s, and how many there were.
function wholeEtag(parts: readonly UploadedPart[]): string {
  const tags = Buffer.concat(parts.map(({ etag }) => Buffer.from(etag, 'hex')));
  return `${createHash('md5').update(tags).digest('hex')}-${parts.length}`;
}

function wholeChecksum(
  upload: Upload,
  parts: readonly UploadedPart[],
  body: Buffer,
): ObjectChecksum | undefined {
  const { checksumAlgorithm: algorithm, checksumType: type } = upload;
  if (algorithm === undefined) return undefined;
  if (type === 'FULL_OBJECT') return { ...checksumOf(algorithm, body), type };
  const sums = Buffer.concat(parts.map(({ checksum }) => Buffer.from(checksum?.value ?? '', 'base64')));
  return { algorithm, value: `${checksumOf(algorithm, sums).value}-${parts.length}`, type };
}

// Some clients leave out the `-N` of a composite checksum.
function checksumValue(
  actual: ObjectChecksum | undefined,
  claimed: { algorithm: string; value: string },
): string {
  if (actual === undefined || actual.algorithm !== claimed.algorithm) return '';
  return claimed.value.includes('-') ? actual.value : (actual.value.split('-')[0] ?? '');
}
