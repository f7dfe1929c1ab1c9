import { z } from 'zod';
import { isMapping } from '../core/mapping.ts';

/** Where a value comes from: the file itself, an environment variable, or another file. */
export type ValueSource = string | { readonly env: string } | { readonly file: string };

/** What a resolved value must look like. */
export interface ValueRule {
  readonly isValid: (text: string) => boolean;
  /** The message when it does not; never quotes the value. */
  readonly message: string;
}

const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** A value that may be a literal, `{ env: NAME }` or `{ file: path }`. */
export const valueSource = sourceOf<'value'>('value', 'A value: itself, or where it is read from.');

/** A {@link valueSource} whose value must not be shown. */
export const secretSource = sourceOf<'secret'>(
  'secret',
  'A secret: where it is read from, or, with a warning, itself.',
);

// In the type of a section, only the brand tells a secret from another value.
function sourceOf<Brand extends string>(id: string, description: string) {
  return z
    .custom<ValueSource & z.$brand<Brand>>(isValueSource, {
      error: 'must be text in quotes, { env: NAME } or { file: path }',
    })
    .meta({
      id,
      description,
      anyOf: [{ type: 'string' }, referenceTo('env', variableName.source), referenceTo('file')],
    });
}

function referenceTo(key: string, pattern = '.') {
  return {
    type: 'object',
    properties: { [key]: { type: 'string', pattern } },
    required: [key],
    additionalProperties: false,
  };
}

// One check instead of a union of schemas: their messages would quote unknown keys, and `{ <secret> }` has one.
function isValueSource(value: unknown): value is ValueSource {
  if (typeof value === 'string') return true;
  if (!isMapping(value)) return false;
  const [entry, ...others] = Object.entries(value);
  if (entry === undefined || others.length > 0) return false;
  const [key, name] = entry;
  if (typeof name !== 'string') return false;
  return (key === 'env' && variableName.test(name)) || (key === 'file' && name !== '');
}
