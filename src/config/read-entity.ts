import { z } from 'zod';
import type { RoleDraft } from '../directory/check-records.ts';
import {
  type AccessKeyRecord,
  type EntityRecord,
  type MfaDeviceRecord,
  type NamedPolicyRecord,
  type RoleRecord,
  readPolicyRecord,
  type UserRecord,
} from '../directory/records.ts';
import type { Path } from './path.ts';
import { auditWarning } from './read-authorization.ts';
import type { Reading } from './reading.ts';
import { enforcements, policyName, textLike, wholeNumber } from './scalars.ts';
import {
  accessKeyIdRule,
  readSecret,
  readValue,
  secretAccessKeyRule,
  totpSecretRule,
  type ValueSource,
  valueSource,
} from './secret-value.ts';

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
  name: textLike(/^[\w+=,.@-]{1,64}$/, 'must be 1 to 64 letters, digits and _+=,.@-'),
  path: textLike(
    /^(?=.{1,512}$)\/(?:[\w+=,.@-]+\/)*$/,
    'must start and end with "/" and hold letters, digits and _+=,.@- between',
  ).default('/'),
  policies: z.array(z.string()).default([]),
  inlinePolicies: z.record(policyName, z.unknown()).default({}),
  permissionsBoundary: z.string().nullable().default(null),
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
    ),
};

const accessKeys = z
  .array(z.strictObject({ accessKeyId: valueSource, secretAccessKey: valueSource }))
  .default([]);

const root = z.strictObject({ accessKeys });

// As STS takes it.
const serialNumber = textLike(
  /^[\w+=/:,.@-]{9,256}$/,
  'must be 9 to 256 letters, digits and _+=/:,.@-, such as the ARN of the device',
);

const user = z.strictObject({
  ...entity,
  userId: textLike(
    /^AIDA[A-Z0-9]{12,60}$/,
    'must be AIDA and 12 to 60 capital letters and digits',
  ).optional(),
  accessKeys,
  mfaDevices: z.array(z.strictObject({ serialNumber, totpSecret: valueSource })).default([]),
});

const role = z.strictObject({
  ...entity,
  roleId: textLike(
    /^AROA[A-Z0-9]{12,60}$/,
    'must be AROA and 12 to 60 capital letters and digits',
  ).optional(),
  trustPolicy: z.unknown(),
  maxSessionDurationSeconds: wholeNumber(3600, 31_536_000).default(3600),
  enforcement: z.enum(enforcements).optional(),
});

/** Reads one item of `directory.users`. */
export function readUser(reading: Reading, path: Path): UserRecord | undefined {
  const inlinePolicies = readInlinePolicies(reading, path);
  const shape = reading.read(path, user);
  if (shape === undefined) return undefined;
  return {
    ...entityRecord(shape, inlinePolicies),
    ...(shape.userId === undefined ? {} : { userId: shape.userId }),
    accessKeys: readAccessKeys(reading, path, shape.accessKeys),
    mfaDevices: shape.mfaDevices.flatMap(
      (device, index) => readMfaDevice(reading, [...path, 'mfaDevices', index], device) ?? [],
    ),
  };
}

/** Reads the long-term keys of `directory.root`. */
export function readRootAccessKeys(reading: Reading, path: Path): AccessKeyRecord[] {
  if (reading.valueAt(path) === undefined) return [];
  return readAccessKeys(reading, path, reading.read(path, root)?.accessKeys ?? []);
}

/** Reads one item of `directory.roles`; a broken trust policy is reported and left out. */
export function readRole(reading: Reading, path: Path): RoleDraft | undefined {
  const inlinePolicies = readInlinePolicies(reading, path);
  const trustPolicy = readTrustPolicy(reading, path);
  const shape = reading.read(path, role);
  if (shape === undefined) return undefined;
  if (shape.enforcement === 'audit') reading.warn([...path, 'enforcement'], auditWarning);
  return {
    ...entityRecord(shape, inlinePolicies),
    ...(shape.roleId === undefined ? {} : { roleId: shape.roleId }),
    ...(trustPolicy === undefined ? {} : { trustPolicy }),
    maxSessionDurationSeconds: shape.maxSessionDurationSeconds,
    ...(shape.enforcement === undefined ? {} : { enforcement: shape.enforcement }),
  };
}

function readTrustPolicy(reading: Reading, path: Path): RoleRecord['trustPolicy'] | undefined {
  const at = [...path, 'trustPolicy'];
  if (reading.valueAt(at) !== undefined) {
    return reading.readPolicy(at, (source) => readPolicyRecord(source, 'trust'));
  }
  // Something else than a mapping is reported as that.
  if (reading.keysAt(path).length > 0) reading.problem(at, 'is required');
  return undefined;
}

interface EntityShape {
  readonly name: string;
  readonly path: string;
  readonly policies: readonly string[];
  readonly permissionsBoundary: string | null;
  readonly tags: Readonly<Record<string, string>>;
}

function entityRecord(shape: EntityShape, inlinePolicies: readonly NamedPolicyRecord[]): EntityRecord {
  const { name, path, policies, permissionsBoundary, tags } = shape;
  return {
    name,
    path,
    policies,
    inlinePolicies,
    tags: new Map(Object.entries(tags)),
    ...(permissionsBoundary === null ? {} : { permissionsBoundary }),
  };
}

function readInlinePolicies(reading: Reading, path: Path): NamedPolicyRecord[] {
  const at = [...path, 'inlinePolicies'];
  return reading.keysAt(at).flatMap((name) => {
    const policy = reading.readPolicy([...at, name], (source) => readPolicyRecord(source, 'identity'));
    return policy === undefined ? [] : [{ name, ...policy }];
  });
}

function readMfaDevice(
  reading: Reading,
  path: Path,
  { serialNumber: serial, totpSecret }: { readonly serialNumber: string; readonly totpSecret: ValueSource },
): MfaDeviceRecord | undefined {
  const secret = readSecret(reading, [...path, 'totpSecret'], totpSecret, totpSecretRule);
  return secret && { serialNumber: serial, totpSecret: secret };
}

interface AccessKeySource {
  readonly accessKeyId: ValueSource;
  readonly secretAccessKey: ValueSource;
}

function readAccessKeys(reading: Reading, path: Path, keys: readonly AccessKeySource[]): AccessKeyRecord[] {
  return keys.flatMap((key, index) => readAccessKey(reading, [...path, 'accessKeys', index], key) ?? []);
}

function readAccessKey(reading: Reading, path: Path, key: AccessKeySource): AccessKeyRecord | undefined {
  const accessKeyId = readValue(reading, [...path, 'accessKeyId'], key.accessKeyId, accessKeyIdRule);
  const at = [...path, 'secretAccessKey'];
  const secretAccessKey = readSecret(reading, at, key.secretAccessKey, secretAccessKeyRule);
  return accessKeyId === undefined || secretAccessKey === undefined
    ? undefined
    : { accessKeyId, secretAccessKey };
}
