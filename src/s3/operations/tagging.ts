import { readXml, writeXml, type XmlElement, XmlError } from '../../core/xml.ts';
import { s3Error } from '../errors.ts';
import type { S3Operation } from '../operation.ts';
import { checkTags, type ObjectTag } from '../tagging-header.ts';

/** The tags of one object. */
export const taggingOperations: readonly S3Operation[] = [
  {
    name: 'GetObjectTagging',
    method: 'GET',
    scope: 'object',
    selectors: ['tagging'],
    parameters: ['versionId'],
    headers: [],
    body: 'none',
    action: 's3:GetObjectTagging',
    versionAction: 's3:GetObjectVersionTagging',
  },
  {
    name: 'PutObjectTagging',
    method: 'PUT',
    scope: 'object',
    selectors: ['tagging'],
    parameters: ['versionId'],
    headers: [],
    body: 'document',
    action: 's3:PutObjectTagging',
    versionAction: 's3:PutObjectVersionTagging',
  },
  {
    name: 'DeleteObjectTagging',
    method: 'DELETE',
    scope: 'object',
    selectors: ['tagging'],
    parameters: ['versionId'],
    headers: [],
    body: 'none',
    action: 's3:DeleteObjectTagging',
    versionAction: 's3:DeleteObjectVersionTagging',
  },
];

/** Longest Tagging document that is read: ten tags, every character escaped. */
export const maxTaggingBytes = 65_536;

/**
 * Reads `<Tagging><TagSet><Tag><Key/><Value/></Tag>…`; anything else in it is refused, because a store might take it
 * for a tag. Throws `MalformedXML`, `InvalidArgument`.
 */
export function parseTagging(body: Uint8Array): readonly ObjectTag[] {
  const [tagSet, ...others] = readTagging(body).children;
  if (tagSet?.name !== 'TagSet' || others.length > 0) throw s3Error('MalformedXML');
  const tags = tagSet.children.map(readTag);
  checkTags(tags);
  return tags;
}

function readTagging(body: Uint8Array): XmlElement {
  try {
    const root = readXml(body, { maxBytes: maxTaggingBytes, maxDepth: 4 });
    if (root.name === 'Tagging') return root;
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
  }
  throw s3Error('MalformedXML');
}

function readTag({ name, children }: XmlElement): ObjectTag {
  const key = children.find((child) => child.name === 'Key');
  const value = children.find((child) => child.name === 'Value');
  const isPair = name === 'Tag' && children.length === 2 && key !== undefined && value !== undefined;
  if (!isPair || key.children.length > 0 || value.children.length > 0) throw s3Error('MalformedXML');
  return [key.text, value.text];
}

/** The document for the store, from the tags that were authorized. */
export function writeTagging(tags: readonly ObjectTag[]): Buffer {
  const content = { TagSet: { Tag: tags.map(([key, value]) => ({ Key: key, Value: value })) } };
  return Buffer.from(writeXml('Tagging', content, 'http://s3.amazonaws.com/doc/2006-03-01/'), 'utf8');
}
