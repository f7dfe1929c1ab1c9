import { readXml, type XmlElement, XmlError } from '../../core/xml.ts';
import { s3Error } from '../errors.ts';

/** Longest CreateBucketConfiguration that is read. */
export const maxCreateBucketBytes = 16_384;

/**
 * Reads the region a CreateBucket body names; `undefined` for an empty body or one without it. Tags, directory
 * buckets and anything else that would need a further permission are refused.
 * Throws `MalformedXML`, `NotImplemented`.
 */
export function parseLocationConstraint(body: Uint8Array): string | undefined {
  if (body.length === 0) return undefined;
  const root = readConfiguration(body);
  let location: string | undefined;
  for (const child of root.children) {
    if (child.name !== 'LocationConstraint') {
      throw s3Error(
        'NotImplemented',
        `CreateBucketConfiguration with ${child.name.slice(0, 32)} is not supported.`,
      );
    }
    if (location !== undefined || child.children.length > 0) throw s3Error('MalformedXML');
    location = child.text;
  }
  return location;
}

function readConfiguration(body: Uint8Array): XmlElement {
  try {
    const root = readXml(body, { maxBytes: maxCreateBucketBytes, maxDepth: 3 });
    if (root.name === 'CreateBucketConfiguration') return root;
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
  }
  throw s3Error('MalformedXML');
}
