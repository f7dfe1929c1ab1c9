import { aliasesOfSubresource } from '../../core/path-key.ts';
import type { XmlElement } from '../../core/xml.ts';
import { tagKeys } from '../condition-keys.ts';
import type { DocumentRule, ObjectTag, S3Operation } from '../operation.ts';
import { malformed, readDocument, writeDocument } from '../strict-document.ts';
import { checkTags, writeFormTags } from '../tagging-header.ts';

// Ten tags, every character escaped.
const maxTaggingBytes = 65_536;

/** Written anew, so that the store sets the very tags that were authorized. */
const taggingDocument: DocumentRule = {
  maxBytes: maxTaggingBytes,
  read: (_, body) => {
    const tags = parseTagging(body);
    checkTags(tags);
    return { conditionKeys: tagKeys(tags), rewritten: writeTagging(tags) };
  },
};

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
    answerRoots: ['Tagging'],
    action: 's3:GetObjectTagging',
    versionAction: 's3:GetObjectVersionTagging',
    aliasesOf: aliasesOfSubresource,
    revealsMissing: true,
  },
  {
    name: 'PutObjectTagging',
    method: 'PUT',
    scope: 'object',
    selectors: ['tagging'],
    parameters: ['versionId'],
    headers: [],
    body: 'document',
    document: taggingDocument,
    unlessKnown: 'probe',
    answerRoots: ['Tagging'],
    action: 's3:PutObjectTagging',
    versionAction: 's3:PutObjectVersionTagging',
    aliasesOf: aliasesOfSubresource,
    revealsMissing: true,
  },
  {
    name: 'DeleteObjectTagging',
    method: 'DELETE',
    scope: 'object',
    selectors: ['tagging'],
    parameters: ['versionId'],
    headers: [],
    body: 'none',
    unlessKnown: 'probe',
    answerRoots: ['Tagging'],
    action: 's3:DeleteObjectTagging',
    versionAction: 's3:DeleteObjectVersionTagging',
    aliasesOf: aliasesOfSubresource,
    revealsMissing: true,
  },
];

/**
 * Reads `<Tagging><TagSet><Tag><Key/><Value/></Tag>…`; anything else in it is refused, because a store might take it
 * for a tag.
 * @throws `MalformedXML`
 */
function parseTagging(body: Uint8Array): readonly ObjectTag[] {
  const shape = { root: 'Tagging', maxBytes: maxTaggingBytes, maxDepth: 4 };
  const [tagSet, ...others] = readDocument(body, shape).children;
  if (tagSet?.name !== 'TagSet' || others.length > 0) throw malformed();
  return readTags(tagSet);
}

/**
 * Reads the `<Tag><Key/><Value/></Tag>` elements of a set.
 * @throws `MalformedXML`
 */
export function readTags(tagSet: XmlElement): readonly ObjectTag[] {
  if (tagSet.text.trim() !== '') throw malformed();
  return tagSet.children.map(readTag);
}

function readTag({ name, children }: XmlElement): ObjectTag {
  const key = children.find((child) => child.name === 'Key');
  const value = children.find((child) => child.name === 'Value');
  const isPair = name === 'Tag' && children.length === 2 && key !== undefined && value !== undefined;
  if (!isPair || key.children.length > 0 || value.children.length > 0) throw malformed();
  return [key.text, value.text];
}

/**
 * The value of `x-amz-tagging` for the tags of a document.
 * @throws `MalformedXML`
 */
export function headerOfTagging(document: Uint8Array): string {
  return writeFormTags(parseTagging(document));
}

function writeTagging(tags: readonly ObjectTag[]): Buffer {
  return writeDocument('Tagging', {
    TagSet: { Tag: tags.map(([key, value]) => ({ Key: key, Value: value })) },
  });
}
