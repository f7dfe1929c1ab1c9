import type { Reading } from './reading.ts';
import { accessKeyIdRule, readSecret, readValue, secretAccessKeyRule } from './secret-value.ts';
import { sections } from './sections.ts';
import type { Settings } from './settings.ts';

/** Reads `backend` with its credentials. */
export function readBackend(reading: Reading): Settings['backend'] | undefined {
  const shape = reading.read(['backend'], sections.backend);
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
