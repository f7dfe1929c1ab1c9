/* The records of `directory`. Like sections.ts, the one place where these settings are written. */

import { z } from 'zod';
import { entityName, longestSessionSeconds } from '../core/iam-names.ts';
import { identityKinds } from '../identity/kinds.ts';
import { bucketName, enforcement, policyName, textLike, wholeNumber } from '../schema/scalars.ts';
import { secretSource, valueSource } from '../schema/value-source.ts';
import { policy } from './policy-form.ts';

const maxTags = 50;

// Tag text as STS takes it; names in `aws:` belong to AWS.
const tagKey = textLike(
  /^(?!aws:)[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/iu,
  'must be a tag key: 1 to 128 letters, digits, spaces and _.:/=+-@, not starting with "aws:"',
);
const tagValue = textLike(
  /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u,
  'must be a tag value: at most 256 letters, digits, spaces and _.:/=+-@',
);

const entity = {
  name: textLike(entityName, 'must be 1 to 64 letters, digits and _+=,.@-').describe('The name in ARNs.'),
  path: textLike(
    /^(?=.{1,512}$)\/(?:[\w+=,.@-]+\/)*$/,
    'must start and end with "/" and hold letters, digits and _+=,.@- between',
  )
    .default('/')
    .describe('Starts and ends with `/`.'),
  policies: z
    .array(z.string())
    .default([])
    .describe('Managed policies, by their names in `directory.policies`.'),
  inlinePolicies: z.record(policyName, policy).default({}).describe('Policies by name.'),
  permissionsBoundary: z
    .string()
    .nullable()
    .default(null)
    .describe('The managed policy that bounds the permissions.'),
  tags: z
    .record(tagKey, tagValue)
    .default({})
    .refine((tags) => Object.keys(tags).length <= maxTags, {
      error: `must not hold more than ${maxTags} tags`,
    })
    .refine(
      (tags) => new Set(Object.keys(tags).map((key) => key.toLowerCase())).size === Object.keys(tags).length,
      {
        error: 'must not hold keys that differ only in case',
      },
    )
    .describe(`At most ${maxTags}; keys that differ only in case are refused.`),
};

const accessKeys = z
  .array(
    z.strictObject({
      accessKeyId: valueSource.describe('3 to 128 letters, digits, `_`, `.` or `-`.'),
      secretAccessKey: secretSource.describe('8 to 128 printable characters.'),
    }),
  )
  .default([])
  .describe('Long-term keys.');

/** `directory.root`. */
export const root = z
  .strictObject({ accessKeys })
  .describe("The account's root; restricted as on AWS. Usually absent.");

// As STS takes it.
const serialNumber = textLike(
  /^[\w+=/:,.@-]{9,256}$/,
  'must be 9 to 256 letters, digits and _+=/:,.@-, such as the ARN of the device',
);

/** One item of `directory.users`. */
export const user = z.strictObject({
  ...entity,
  userId: textLike(/^AIDA[A-Z0-9]{12,60}$/, 'must be AIDA and 12 to 60 capital letters and digits')
    .optional()
    .describe('Derived from account and name when absent.'),
  accessKeys,
  mfaDevices: z
    .array(
      z.strictObject({
        serialNumber: serialNumber.describe(
          'What clients send as `SerialNumber`, such as the ARN of the device.',
        ),
        totpSecret: secretSource.describe('In base32.'),
      }),
    )
    .default([])
    .describe('Devices that make one-time codes.'),
});

/** One item of `directory.roles`. */
export const role = z.strictObject({
  ...entity,
  roleId: textLike(/^AROA[A-Z0-9]{12,60}$/, 'must be AROA and 12 to 60 capital letters and digits')
    .optional()
    .describe('Derived from account and name when absent.'),
  trustPolicy: policy.describe('Who may assume the role.'),
  maxSessionDurationSeconds: wholeNumber(3600, longestSessionSeconds)
    .default(3600)
    .describe('The longest session that callers may ask for.'),
  enforcement: enforcement
    .optional()
    .describe('Replaces `authorization.enforcement` for sessions of this role.'),
});

/** One item of `directory.identityProviders`; each kind reads its own. */
const [firstKind, ...otherKinds] = identityKinds;
const provider = z.discriminatedUnion('kind', [firstKind.schema, ...otherKinds.map(({ schema }) => schema)]);

const whole = { root, user, role, policy, provider };
const unread = z.unknown();

function directoryOf<Items extends Readonly<Record<keyof typeof whole, z.ZodType>>>(items: Items) {
  return z.strictObject({
    root: items.root.optional(),
    policies: z.record(policyName, items.policy).default({}).describe('Managed policies by name.'),
    users: z.array(items.user).default([]).describe('Users with keys of their own.'),
    roles: z.array(items.role).default([]).describe('Roles that can be assumed.'),
    bucketPolicies: z
      .record(bucketName, items.policy)
      .default({})
      .describe('Policies by bucket; see docs/bucket-policies.md.'),
    identityProviders: z
      .array(items.provider)
      .prefault([])
      .describe('Whose tokens and assertions are exchanged for credentials.'),
  });
}

/** `directory` with everything in it. */
export const directory = directoryOf(whole).describe('Users, roles, policies and identity providers.');

/** `directory` without its records, which are read one by one. */
export const directoryOutline = directoryOf({
  root: unread,
  user: unread,
  role: unread,
  policy: unread,
  provider: unread,
});
