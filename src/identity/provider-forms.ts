import { z } from 'zod';
import { several, textLike } from '../schema/scalars.ts';

/** What a schema reads, read-only as a whole. */
export type Settings<Schema extends z.ZodType> = ReadOnly<z.infer<Schema>>;

type ReadOnly<Value> = Value extends readonly (infer Item)[]
  ? readonly Item[]
  : Value extends object
    ? { readonly [Key in keyof Value]: ReadOnly<Value[Key]> }
    : Value;

/** The name of a provider. Fit for ARNs and metric labels. */
export const providerName = textLike(
  /^[\w.-]{1,64}$/,
  'must be 1 to 64 letters, digits, "_", "." or "-"',
).describe('Unique, also when case is ignored.');

/** The managed policies of a generated role. */
export const rolePolicies = z
  .array(z.string())
  .min(1, { error: 'must not be empty: nothing would be allowed' });

// The same text is used in a provider ARN, in condition keys and in `iss`, so a URL parser must leave it unchanged.
const issuerForm = /^(?=.{1,255}$)https?:\/\/[a-z0-9_.[\]:-]+(?:\/[\w.~%!&'()+,;=@:/-]*)?$/;

/** The issuer of signed tokens. */
export const tokenIssuer = z
  .string()
  .refine((text) => issuerForm.test(text) && URL.canParse(text), {
    error: 'must be an http or https URL in lower case up to its path, without user, query or fragment',
  })
  .describe('The URL that `iss` of its tokens has, exactly.');

/** The audiences of signed tokens. */
export const tokenAudiences = several(
  textLike(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 printable characters without spaces'),
);
