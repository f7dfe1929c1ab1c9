import type { XmlTree } from '../../core/xml.ts';
import { type Answer, xmlAnswer } from './answer.ts';
import { checksumElement } from './checksum.ts';
import { type Contents, objectOf, type StoredObject } from './contents.ts';
import { storeError } from './errors.ts';
import type { StoreCall } from './store-call.ts';

/**
 * GetObjectAttributes; the parts of an object are not kept, so none are listed. Throws NoSuchKey, NoSuchVersion,
 * InvalidArgument.
 */
export function getObjectAttributes(call: StoreCall, contents: Contents): Answer {
  const object = objectOf(call, contents);
  const asked = call.headers.getAll('x-amz-object-attributes').flatMap((value) => value.split(','));
  if (asked.length === 0) throw storeError('InvalidArgument');
  const content = asked.map((name) => attribute(name.trim(), object));
  const lastModified = new Date(object.lastModifiedMs).toUTCString();
  return xmlAnswer('GetObjectAttributesResponse', Object.assign({}, ...content), {
    'last-modified': lastModified,
  });
}

function attribute(name: string, { etag, body, checksum }: StoredObject): XmlTree {
  switch (name) {
    case 'ETag':
      return { ETag: etag };
    case 'ObjectSize':
      return { ObjectSize: body.length };
    case 'StorageClass':
      return { StorageClass: 'STANDARD' };
    case 'Checksum':
      if (checksum === undefined) return {};
      return {
        Checksum: { [checksumElement(checksum.algorithm)]: checksum.value, ChecksumType: checksum.type },
      };
    case 'ObjectParts':
      return {};
    default:
      throw storeError('InvalidArgument', { message: 'invalid attribute name specified' });
  }
}
