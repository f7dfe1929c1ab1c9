/* The identity providers of `directory`, by kind. Like sections.ts, the one place where these settings are written. */

import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { inClusterApiServer } from '../identity/kubernetes/settings.ts';
import { defaultAudience, defaultRecipient } from '../identity/saml/settings.ts';
import { fileName, several, storeEndpoint, textLike } from '../schema/scalars.ts';
import { secretSource } from '../schema/value-source.ts';

// Fit for ARNs and metric labels.
const name = textLike(/^[\w.-]{1,64}$/, 'must be 1 to 64 letters, digits, "_", "." or "-"').describe(
  'Unique, also when case is ignored.',
);

const rolePolicies = z.array(z.string()).min(1, { error: 'must not be empty: nothing would be allowed' });

// The same text is used in a provider ARN, in condition keys and in `iss`, so a URL parser must leave it unchanged.
const issuerForm = /^(?=.{1,255}$)https?:\/\/[a-z0-9_.[\]:-]+(?:\/[\w.~%!&'()+,;=@:/-]*)?$/;
const issuer = z
  .string()
  .refine((text) => issuerForm.test(text) && URL.canParse(text), {
    error: 'must be an http or https URL in lower case up to its path, without user, query or fragment',
  })
  .describe('The URL that `iss` of its tokens has, exactly.');

const audiences = several(
  textLike(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 printable characters without spaces'),
);

const claimText = z
  .string()
  .regex(/^[\x21-\x7e]{0,255}$/, { error: 'must be at most 255 printable characters without spaces' });

/** An OpenID Connect provider. */
export const oidc = z.strictObject({
  kind: z.literal('oidc'),
  name,
  issuer,
  clientIds: audiences.describe('A token is accepted when `aud` has one of them.'),
  acceptAzp: z.boolean().default(false).describe('Whether `azp` counts as an audience beside `aud`.'),
  anyAzp: z.boolean().default(false).describe('Whether `azp` may name a client that is not in `clientIds`.'),
  rolePolicies: rolePolicies
    .optional()
    .describe(
      "Managed policies of everyone that the provider vouches for (MinIO's role policies). One client id only.",
    ),
  claimName: claimText
    .min(1, { error: 'must not be empty' })
    .optional()
    .describe(
      "The claim that names managed policies (MinIO's claim mode); `policy` where only `claimPrefix` is given. Not with `rolePolicies`.",
    ),
  claimPrefix: claimText.optional().describe('Precedes `claimName`. Not with `rolePolicies`.'),
  userInfo: z
    .boolean()
    .default(false)
    .describe(
      'Whether the provider is also asked about the user, with the access token that the request carries.',
    ),
});

const absolutePath = z.string().refine(isAbsolute, { error: 'must be an absolute path' });

/** Service accounts of a Kubernetes cluster. */
export const kubernetes = z.strictObject({
  kind: z.literal('kubernetes'),
  name,
  issuer,
  audiences: audiences.describe(
    "A token is accepted when `aud` has one of them. Never the API server's own.",
  ),
  tokenReview: z.boolean().default(false).describe('Whether the API server is also asked about every token.'),
  apiServer: z
    .strictObject({
      url: storeEndpoint.prefault(inClusterApiServer.url).describe('Scheme, host and port.'),
      caFile: absolutePath.default(inClusterApiServer.caFile).describe("The authority's certificate, PEM."),
      tokenFile: absolutePath
        .default(inClusterApiServer.tokenFile)
        .describe("The sidecar's own service account token."),
    })
    .optional()
    .describe(
      "Where keys come from: `{}` in a pod. Without it, they come from the issuer's discovery document, without credentials.",
    ),
});

/** A SAML 2.0 identity provider. */
export const saml = z.strictObject({
  kind: z.literal('saml'),
  name,
  metadataFile: fileName.describe("The provider's metadata, XML."),
  // Stands in session tokens.
  recipients: several(
    textLike(
      /^(?=.{1,255}$)https?:\/\/[\x21-\x7e]+$/,
      'must be an http or https URL of at most 255 characters',
    ),
  )
    .default([defaultRecipient])
    .describe("The assertion's `Recipient` must be one of them."),
  audiences: several(
    textLike(/^[\x21-\x7e]{1,2000}$/, 'must be 1 to 2000 printable characters without spaces'),
  )
    .default([defaultAudience])
    .describe('Every audience restriction of the assertion must name one of them.'),
});

// Said to the webhook exactly as it stands here: the generated role ARN is made of these very characters.
const webhookForm = /^https?:\/\/[\x21-\x7e]{1,2040}$/;

function isWebhookUrl(text: string): boolean {
  if (!webhookForm.test(text) || /[#\\]/.test(text) || !URL.canParse(text)) return false;
  const { username, password, searchParams } = new URL(text);
  return username === '' && password === '' && !searchParams.has('token');
}

/** A webhook that verifies tokens. */
export const customToken = z.strictObject({
  kind: z.literal('custom-token'),
  name,
  url: z
    .string()
    .refine(isWebhookUrl, {
      error: 'must be an http or https URL without user, fragment or a parameter "token"',
    })
    .describe('The URL of the webhook.'),
  authToken: secretSource.optional().describe('The value of `Authorization`; none is sent when absent.'),
  rolePolicies: rolePolicies.describe('Managed policies of everyone that the webhook vouches for.'),
  roleId: textLike(/^[\w-]{1,59}$/, 'must be 1 to 59 letters, digits, "_" or "-"')
    .nullable()
    .default(null)
    .describe('Stands in the generated role ARN; derived from the URL when absent.'),
});
