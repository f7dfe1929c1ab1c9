import { z } from 'zod';
import type { Reading } from './reading.ts';
import { regionName, storeEndpoint, wholeNumber } from './scalars.ts';
import { accessKeyIdRule, readSecret, readValue, secretAccessKeyRule, valueSource } from './secret-value.ts';
import type { BackendSettings } from './settings.ts';

const storeFeatures = [
  'annotations',
  'objectEncryption',
  'conditionalBatchDelete',
  'conditionalComplete',
  'conditionalCopy',
  'conditionalDelete',
  'sizeAndTimeConditions',
] as const;

const timeout = wholeNumber(1, 86_400);

const backend = z.strictObject({
  endpoint: storeEndpoint,
  region: regionName.default('us-east-1'),
  credentials: z.strictObject({ accessKeyId: valueSource, secretAccessKey: valueSource }),
  trailers: z.enum(['reframe', 'decode']).default('reframe'),
  supports: z.array(z.enum(storeFeatures)).default([]),
  unknownAccessKeys: z.enum(['reject']).default('reject'),
  anonymous: z.enum(['reject']).default('reject'),
  timeouts: z
    .strictObject({
      connectSeconds: timeout.default(5),
      headersSeconds: timeout.default(60),
      idleSeconds: timeout.default(120),
    })
    .prefault({}),
});

/** Reads `backend` with its credentials. */
export function readBackend(reading: Reading): BackendSettings | undefined {
  const shape = reading.read(['backend'], backend);
  if (shape === undefined) return undefined;
  const path = ['backend', 'credentials'];
  const { credentials } = shape;
  const accessKeyId = readValue(reading, [...path, 'accessKeyId'], credentials.accessKeyId, accessKeyIdRule);
  const secretAccessKey = readSecret(
    reading,
    [...path, 'secretAccessKey'],
    credentials.secretAccessKey,
    secretAccessKeyRule,
  );
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return { ...shape, credentials: { accessKeyId, secretAccessKey } };
}
