import { Secret } from '../core/secret.ts';
import type { ValueRule, ValueSource } from '../schema/value-source.ts';
import type { Path } from './path.ts';
import type { Reading } from './reading.ts';

// Larger than any key; a wrong path to a big file should not be read whole.
const maxFileBytes = 64 * 1024;

/** A secret could stand in the place of a name. None that this program knows is so short, or has a "_" and no small letters. */
const plainName = /^[A-Z][A-Z0-9]{0,14}$|^[A-Z0-9]*_[A-Z0-9_]*$/;

/** Resolves a value that is no secret. Reports why it cannot be read and returns `undefined`. */
export function readValue(
  reading: Reading,
  path: Path,
  source: ValueSource,
  rule: ValueRule,
): string | undefined {
  const text = resolveSource(reading, path, source);
  if (text === undefined) return undefined;
  if (rule.isValid(text)) return text;
  reading.problem(path, rule.message);
  return undefined;
}

/** {@link readValue} of a secret; a literal in the file is a warning. */
export function readSecret(
  reading: Reading,
  path: Path,
  source: ValueSource,
  rule: ValueRule,
): Secret | undefined {
  if (typeof source === 'string') {
    reading.warn(path, 'a literal secret: prefer { env: NAME } or { file: path }');
  }
  const text = readValue(reading, path, source, rule);
  return text === undefined ? undefined : new Secret(text);
}

function resolveSource(reading: Reading, path: Path, source: ValueSource): string | undefined {
  if (typeof source === 'string') return source;
  const { sources } = reading.context;
  if ('env' in source) {
    const value = sources.environment(source.env);
    if (value !== undefined && value !== '') return value;
    const state = value === '' ? 'empty' : 'not set';
    const name = plainName.test(source.env) ? source.env : 'that `env` names';
    reading.problem(path, `the environment variable ${name} is ${state}`);
    return undefined;
  }
  const file = sources.readText(source.file, maxFileBytes);
  if (file.ok) return file.text.replace(/\r?\n$/, '');
  reading.problem(path, `the file ${JSON.stringify(source.file)} ${file.reason}`);
  return undefined;
}

/** An access key id: what fits into a credential scope and a log line without escaping. */
export const accessKeyIdRule: ValueRule = {
  isValid: (text) => /^[\w.-]{3,128}$/.test(text),
  message: 'must be 3 to 128 letters, digits, "_", "." or "-"',
};

/** The access key id of a store. Those of Swift's tempauth are `account:user`. */
export const storeAccessKeyIdRule: ValueRule = {
  isValid: (text) => /^[\w.:-]{3,128}$/.test(text),
  message: 'must be 3 to 128 letters, digits, "_", ".", ":" or "-"',
};

/** A secret access key. */
export const secretAccessKeyRule: ValueRule = {
  isValid: (text) => /^[\x21-\x7e]{8,128}$/.test(text),
  message: 'must be 8 to 128 printable characters without spaces',
};

/** The secret of a device that makes one-time codes; 80 bits at least (RFC 4226 demands 128 of new ones). */
export const totpSecretRule: ValueRule = {
  isValid: (text) => /^[A-Z2-7]{16,128}=*$/.test(text),
  message: 'must be 16 to 128 characters of base32, capital letters and the digits 2 to 7',
};

/** A key of the token key ring. */
export const tokenKeyRule: ValueRule = {
  isValid: (text) => {
    const bytes = Buffer.from(text, 'base64');
    // Encoding again finds what the lenient decoder skipped or cut off.
    return bytes.length === 32 && bytes.toString('base64') === text;
  },
  message: 'must be 32 bytes in base64; "sts-sidecar keys generate" makes one',
};
