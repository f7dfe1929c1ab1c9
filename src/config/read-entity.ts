import type { z } from 'zod';
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
import { role, root, user } from './directory-sections.ts';
import type { Path } from './path.ts';
import { auditWarning } from './read-sections.ts';
import type { Reading } from './reading.ts';
import {
  accessKeyIdRule,
  readSecret,
  readValue,
  secretAccessKeyRule,
  totpSecretRule,
} from './secret-value.ts';

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

type EntityShape = Pick<z.infer<typeof user>, 'name' | 'path' | 'policies' | 'permissionsBoundary' | 'tags'>;

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
  { serialNumber, totpSecret }: z.infer<typeof user>['mfaDevices'][number],
): MfaDeviceRecord | undefined {
  const secret = readSecret(reading, [...path, 'totpSecret'], totpSecret, totpSecretRule);
  return secret && { serialNumber, totpSecret: secret };
}

type AccessKey = z.infer<typeof root>['accessKeys'][number];

function readAccessKeys(reading: Reading, path: Path, keys: readonly AccessKey[]): AccessKeyRecord[] {
  return keys.flatMap((key, index) => readAccessKey(reading, [...path, 'accessKeys', index], key) ?? []);
}

function readAccessKey(reading: Reading, path: Path, key: AccessKey): AccessKeyRecord | undefined {
  const accessKeyId = readValue(reading, [...path, 'accessKeyId'], key.accessKeyId, accessKeyIdRule);
  const at = [...path, 'secretAccessKey'];
  const secretAccessKey = readSecret(reading, at, key.secretAccessKey, secretAccessKeyRule);
  return accessKeyId === undefined || secretAccessKey === undefined
    ? undefined
    : { accessKeyId, secretAccessKey };
}
