import { parseQuery } from '../core/request-target.ts';
import { s3Error } from './errors.ts';

// AWS's limits for object tags.
const maxObjectTags = 10;
const maxTagKeyLength = 128;
const maxTagValueLength = 256;

/**
 * Parses `x-amz-tagging`, which is encoded like a query: `team=blue&stage=test`. A repeated key is refused, also one that
 * differs in case only, because condition keys ignore case; so is anything that does not decode. Throws `InvalidArgument`.
 */
export function parseFormTags(header: string): [key: string, value: string][] {
  const parameters = parseQuery(header);
  const names = new Set(parameters?.map(({ name }) => name.toLowerCase()));
  if (
    parameters === undefined ||
    names.size !== parameters.length ||
    names.size > maxObjectTags ||
    names.has('')
  ) {
    throw s3Error('InvalidArgument', "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded.");
  }
  if (
    parameters.some(({ name, value }) => name.length > maxTagKeyLength || value.length > maxTagValueLength)
  ) {
    throw s3Error('InvalidArgument', 'A tag key or value is too long.');
  }
  return parameters.map(({ name, value }) => [name, value]);
}
