import { decodeUtf8 } from '../../core/bytes.ts';
import { collapseOws, type HeaderField, HeaderList, trimOws } from '../../core/header-list.ts';
import type { RawRequest } from '../../core/raw-request.ts';
import { uriEncode } from '../../core/uri-encode.ts';
import { bucketOfHost, resolveAddress } from '../addressing.ts';
import { s3Error } from '../errors.ts';
import { valueRules } from '../header-values.ts';
import type { S3Request } from '../operation.ts';
import { headerOfTagging } from '../operations/index.ts';
import { type FormFields, maxBytesBeforeFile } from './form-fields.ts';

/** Headers of the request itself that count for the upload. Others describe the form, or what the browser thinks of the page. */
const keptHeaders: ReadonlySet<string> = new Set(['host', 'origin', 'referer', 'user-agent']);

/** Fields that become headers of the same name, beside `x-amz-*`. */
const headerFields: ReadonlySet<string> = new Set([
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-md5',
  'content-type',
  'expires',
]);

/** Fields of the form itself. */
const formFields: ReadonlySet<string> = new Set([
  'x-amz-algorithm',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-security-token',
  'x-amz-signature',
]);

/** True for a POST to a bucket without a query, which can only be a form. `virtualHosts` as for {@link resolveAddress}. */
export function isBucketPost(
  { method, path, query, headers }: RawRequest,
  virtualHosts: readonly string[],
): boolean {
  if (method !== 'POST' || query !== '') return false;
  const isVirtual = bucketOfHost(headers.get('host') ?? '', virtualHosts) !== undefined;
  return isVirtual ? path === '/' : /^\/[^/]+\/?$/.test(path);
}

/**
 * The bucket that a form is posted to.
 * @throws `MethodNotAllowed` for anything but a bucket, and those of {@link resolveAddress}
 */
export function bucketOfForm(raw: RawRequest, virtualHosts: readonly string[]): string {
  const { bucket, key } = resolveAddress(raw, virtualHosts);
  if (bucket === '' || key !== '') throw s3Error('MethodNotAllowed');
  return bucket;
}

const fileNameVariable = /\$\{filename\}/g;

/**
 * The fields with the name of the file in place of `${filename}`, except those that were signed as they are. Without a name the
 * variable stays, as on AWS (LocalStack's recordings of 2026-02): with nothing in its place, uploads would overwrite each other. Only for
 * a form whose signature was verified: the name could stand in a thousand places.
 * @throws `MaxPostPreDataLengthExceeded` when they become longer than a form may be
 */
export function expandFields({ fields, fileName }: FormFields): ReadonlyMap<string, string> {
  if (fileName === undefined) return fields;
  const expanded = new Map<string, string>();
  let length = 0;
  for (const [name, value] of fields) {
    const isSigned = name === 'policy' || formFields.has(name);
    const places = isSigned ? 0 : (value.match(fileNameVariable)?.length ?? 0);
    length += value.length + places * fileName.length;
    if (length > maxBytesBeforeFile) throw s3Error('MaxPostPreDataLengthExceeded');
    expanded.set(name, places === 0 ? value : value.replaceAll(fileNameVariable, () => fileName));
  }
  return expanded;
}

/**
 * The PutObject that a form stands for. Its fields become the headers of the request, and are classified, authorized and refused like
 * those.
 * @param fields expanded
 * @throws `InvalidArgument`, `NotImplemented`, and those of a tagging document
 */
export function putRequestOf(
  raw: RawRequest,
  fields: ReadonlyMap<string, string>,
  fileLength: number,
): RawRequest {
  const key = fields.get('key') ?? '';
  if (key === '') throw s3Error('InvalidArgument', "Bucket POST must contain a field named 'key'.");
  const headers: HeaderField[] = [...raw.headers].filter(({ name }) => keptHeaders.has(name));
  for (const [name, value] of fields) {
    const header = headerOf(name, value);
    if (header !== undefined) headers.push(header);
  }
  headers.push({ name: 'content-length', value: String(fileLength) });
  const base = raw.path.endsWith('/') ? raw.path : `${raw.path}/`;
  return {
    ...raw,
    method: 'PUT',
    path: `${base}${uriEncode(key, true)}`,
    query: '',
    parameters: [],
    headers: new HeaderList(headers),
  };
}

/**
 * The fields that the policy of a form is compared with, as the store gets them: a header loses white space on its way, so that a
 * condition could hold for a value that is never stored. Values that are written anew with the same meaning, such as dates and tags,
 * only lose that white space here.
 * @param fields expanded
 * @param request made of these fields
 */
export function fieldsAsStored(
  fields: ReadonlyMap<string, string>,
  { key, headers }: Pick<S3Request, 'key' | 'headers'>,
): ReadonlyMap<string, string> {
  const stored = new Map(fields);
  for (const [name, value] of fields) {
    const header = headerNameOf(name) ?? '';
    const sent = headers.get(header);
    if (name === 'key') stored.set(name, key);
    // The document of the tags, white space included, is what their header says.
    else if (name === 'tagging' || sent === undefined) continue;
    else if (valueRules.has(header)) stored.set(name, collapseOws(trimOws(value)));
    else stored.set(name, decodeUtf8(Buffer.from(sent, 'latin1')) ?? '');
  }
  return stored;
}

function headerOf(name: string, value: string): HeaderField | undefined {
  if (name === 'x-amz-content-sha256' || name.startsWith('if-'))
    throw s3Error('NotImplemented', `The field ${name.slice(0, 64)} is not implemented for PostObject.`);
  const header = headerNameOf(name);
  if (header === undefined) return undefined;
  return field(header, name === 'tagging' ? headerOfTagging(Buffer.from(value)) : value);
}

/** True for a field whose value the store gets in a header, where white space is collapsed. */
export function isStoredAsHeader(name: string): boolean {
  return name !== 'tagging' && headerNameOf(name) !== undefined;
}

/** The header that a field becomes; no two fields that are accepted together become the same one. */
function headerNameOf(name: string): string | undefined {
  if (formFields.has(name) || name.startsWith('x-ignore-')) return undefined;
  if (name === 'acl' || name === 'tagging') return `x-amz-${name}`;
  const isHeader = headerFields.has(name) || name.startsWith('x-') || name.startsWith('seaweed-');
  return isHeader ? name : undefined;
}

const headerName = /^[a-z0-9!#$%&'*+.^_`|~-]{1,128}$/;

// A line break in a value would begin another header at the store.
function field(name: string, value: string): HeaderField {
  const latin1 = trimOws(Buffer.from(value, 'utf8').toString('latin1'));
  if (!headerName.test(name) || /[\u0000-\u0008\u000a-\u001f\u007f]/.test(latin1))
    throw s3Error('InvalidArgument', 'A field of the form cannot be a header.');
  return { name, value: latin1 };
}
