/*
 * The sections of the configuration file, except the directory. A setting is written once, here: its form, default and
 * meaning. Its type, the JSON Schema for editors, docs/configuration.md and the chart's schema are made from it.
 */

import { z } from 'zod';
import { storeFeatures } from '../core/store-feature.ts';
import {
  enforcement,
  fileName,
  passedPrefix,
  regionName,
  storeEndpoint,
  textLike,
  wholeNumber,
} from '../schema/scalars.ts';
import { secretSource, valueSource } from '../schema/value-source.ts';
import { audit } from './audit-section.ts';
import { admin, containerCredentials, control, server } from './listener-sections.ts';
import { state } from './state-section.ts';
import { storeProfileNames } from './store-profiles.ts';

const oneDaySeconds = 86_400;

const timeout = wholeNumber(1, oneDaySeconds);

const backend = z
  .strictObject({
    endpoint: storeEndpoint.describe('The URL of the store: scheme, host and port.'),
    tls: z
      .strictObject({
        caFile: fileName
          .optional()
          .describe('Certificates of private authorities, PEM, trusted instead of the public ones.'),
        certFile: fileName
          .optional()
          .describe('The certificate that the store asks for, and the chain behind it, PEM.'),
        keyFile: fileName.optional().describe('The key of that certificate, PEM, without a passphrase.'),
      })
      .optional()
      .describe('How an https endpoint is verified. The files are read again when they change.'),
    region: regionName.default('us-east-1').describe('The region that requests to the store are signed for.'),
    credentials: z
      .strictObject({
        accessKeyId: valueSource.describe('The id of the key.'),
        secretAccessKey: secretSource.describe('Its secret.'),
      })
      .describe("The store's own key, which only the sidecar holds."),
    profile: z
      .enum(storeProfileNames)
      .default('other')
      .describe(
        'The kind of store, which gives `trailers` and `supports` their defaults; see docs/compatibility.md.',
      ),
    trailers: z
      .enum(['reframe', 'decode'])
      .optional()
      .describe(
        "How checksum trailers of uploads reach the store: in chunks of the sidecar's own (`reframe`), or verified here and left out (`decode`). Without it, as in `profile`; `reframe` for `other`.",
      ),
    supports: z
      .array(z.enum(storeFeatures))
      .optional()
      .describe(
        'Optional features that the store has; see docs/compatibility.md. Operations and conditions that need another are answered with 501, because a store that lacks it would do something else, or ignore the condition. Without it, as in `profile`; none for `other`.',
      ),
    unknownAccessKeys: z
      .enum(['reject', 'passthrough'])
      .default('reject')
      .describe(
        "How requests are treated that are signed with an access key which the sidecar does not know: they are refused (`reject`), or handed to the store as they came, so that the store's own policies decide (`passthrough`). Never with a session token.",
      ),
    anonymous: z
      .enum(['reject', 'policy', 'passthrough'])
      .default('reject')
      .describe(
        'How requests without any credentials are treated: they are refused (`reject`), or performed where a bucket policy of `directory.bucketPolicies` allows them to everyone, `Principal: "*"` (`policy`), or handed to the store as they came, so that its own policies decide (`passthrough`).',
      ),
    passthrough: z
      .array(passedPrefix)
      .max(64, { error: 'must not hold more than 64 prefixes' })
      .default([])
      .describe(
        'Beginnings of paths, such as `/minio/health/`. GET and HEAD of such a path reach the store unsigned, without any decision. A bucket of that name is read like this, too.',
      ),
    timeouts: z
      .strictObject({
        connectSeconds: timeout.default(5).describe('Time to connect.'),
        headersSeconds: timeout.default(60).describe('Time to the head of the answer.'),
        idleSeconds: timeout.default(120).describe('Time that the store may be silent within a body.'),
      })
      .prefault({})
      .describe('How long the store may take.'),
    probeSeconds: wholeNumber(0, 3600)
      .default(15)
      .describe(
        "How often the store is asked whether it answers and accepts the sidecar's key, by a ListBuckets; for `/readyz?verbose` and metrics. With 0 it is not asked.",
      ),
  })
  .describe('The S3-compatible store.');

const account = z
  .strictObject({
    id: textLike(/^\d{12}$/, 'must be 12 digits in quotes').describe('12 digits, in quotes.'),
    partition: z
      .enum(['aws', 'aws-cn', 'aws-us-gov'])
      .default('aws')
      .describe('The partition that every ARN carries.'),
    region: regionName
      .default('us-east-1')
      .describe('The region of requests that name none; must not be disabled.'),
    allowedRegions: z
      .array(regionName)
      .default([])
      .describe('Regions that signatures may name; empty allows every region.'),
    disabledRegions: z
      .array(regionName)
      .default([])
      .describe('Regions in which STS refuses signed requests.'),
  })
  .describe('The account that every ARN carries.');

const authorization = z
  .strictObject({
    enforcement: enforcement
      .default('enforce')
      .describe(
        'With `audit`, requests that no identity policy allows are performed and recorded. A role can have its own.',
      ),
    listBuckets: z
      .enum(['filtered', 'strict'])
      .default('filtered')
      .describe(
        'What ListBuckets answers a caller who may not list all buckets: those that the caller may list, or an error.',
      ),
    encodedMessages: z
      .enum(['full', 'off'])
      .default('full')
      .describe(
        'What S3 errors of denied requests carry: the reason, sealed for those who may decode it, about 2 KB; or the request id alone.',
      ),
  })
  .prefault({})
  .describe('How decisions are enforced.');

const keyId = textLike(/^[\w.-]{1,64}$/, 'must be 1 to 64 letters, digits, "_", "." or "-"');

const tokens = z
  .strictObject({
    sealWith: keyId.describe('Id of the key that seals new tokens; all keys open.'),
    keys: z
      .array(
        z.strictObject({
          id: keyId.describe('Unique.'),
          secret: secretSource.describe('32 bytes in base64; `sts-sidecar keys generate` makes one.'),
        }),
      )
      .min(1, { error: 'must hold at least one key' })
      .describe('To rotate: append a key on every replica first, then name it in `sealWith`.'),
  })
  .describe('The keys of session tokens.');

const log = z
  .strictObject({
    level: z
      .enum(['debug', 'info', 'warn', 'error'])
      .default('info')
      .describe('The least severe level that is logged.'),
    requests: z.boolean().default(true).describe('Whether there is one line per request.'),
    objectKeys: z.enum(['full', 'hash', 'off']).default('full').describe('How object keys are shown.'),
  })
  .prefault({})
  .describe('What the log shows.');

const httpOrigin = storeEndpoint.refine((origin) => origin.startsWith('http:'), {
  error: 'must be an http URL of scheme, host and port: https needs no permission',
});

const outbound = z
  .strictObject({
    caFile: fileName
      .optional()
      .describe('Certificates of private authorities, PEM, trusted besides the public ones.'),
    allowHttp: z
      .array(httpOrigin)
      .prefault([])
      .describe('Origins that may be asked over plain http; loopback always may.'),
    timeoutSeconds: wholeNumber(1, 60).default(5).describe('Time for one request as a whole.'),
  })
  .prefault({})
  .describe('How identity providers and webhooks are reached.');

const selector = { type: 'string', minLength: 1, maxLength: 2048 };

const revocations = z
  .array(
    z.unknown().meta({
      type: 'object',
      properties: {
        sessionId: { ...selector, description: 'One session.' },
        roleSession: { ...selector, description: '`role/session`: the sessions of that name.' },
        role: { ...selector, description: 'All sessions of a role.' },
        user: { ...selector, description: 'All sessions of a user.' },
        issuer: { ...selector, description: 'All sessions of an identity provider.' },
        issuedBefore: {
          type: 'string',
          description: 'Only sessions issued before this time, in UTC: `2026-11-22T00:00:00Z`.',
        },
      },
      additionalProperties: false,
      minProperties: 1,
    }),
  )
  .max(10_000, { error: 'must not hold more than 10000' })
  .default([])
  .describe('Sessions that are no longer accepted. Each entry has one selector, `issuedBefore`, or both.');

/** Each section under the name that the file has for it. */
export const sections = {
  server,
  admin,
  control,
  containerCredentials,
  backend,
  account,
  authorization,
  tokens,
  state,
  outbound,
  revocations,
  audit,
  log,
};
