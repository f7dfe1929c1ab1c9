import { decodeUtf8 } from '../../core/bytes.ts';
import { JsonError, parseJson } from '../../core/json.ts';
import type { ServiceError } from '../../core/service-error.ts';
import { s3Error } from '../errors.ts';
import { parseInstant } from '../object-lock.ts';
import { maxBytesBeforeFile } from './form-fields.ts';

/** What a field must be, or begin with. */
export interface FieldCondition {
  readonly kind: 'eq' | 'starts-with';
  /** The field as the policy writes it, with a dollar sign. */
  readonly written: string;
  /** In lower case; `undefined` without a dollar sign: such a condition never holds. */
  readonly name: string | undefined;
  readonly value: string;
}

/** How many bytes the file may have. */
export interface LengthCondition {
  readonly kind: 'length';
  readonly least: number;
  readonly most: number;
}

/** A condition of a policy. */
export type Condition = FieldCondition | LengthCondition;

/** What a policy says. */
export interface PostPolicy {
  /** Milliseconds since the Unix epoch. */
  readonly expiresAtMs: number;
  readonly conditions: readonly Condition[];
}

/** Forms name each field once, and have at most some tens. */
const maxConditions = 128;

/**
 * Reads the policy of a form. Source: AWS "Creating a POST Policy".
 * @throws `InvalidPolicyDocument`
 */
export function readPolicy(base64: string): PostPolicy {
  const document = parse(base64);
  const expiration = document.get('expiration');
  const conditions = document.get('conditions');
  const isUtc = typeof expiration === 'string' && expiration.endsWith('Z');
  const expiresAtMs = isUtc ? parseInstant(expiration) : undefined;
  if (expiresAtMs === undefined)
    throw invalid('expiration must be a date and time of ISO 8601 in UTC, with a Z at its end.');
  if (!Array.isArray(conditions)) throw invalid('conditions must be a list.');
  if (document.size > 2) throw invalid('it has members other than expiration and conditions.');
  const read = conditions.map(readCondition);
  if (read.length > maxConditions) throw invalid(`it has more than ${maxConditions} conditions.`);
  return { expiresAtMs, conditions: read };
}

function parse(base64: string): ReadonlyMap<string, unknown> {
  const bytes = Buffer.from(base64, 'base64');
  const text = bytes.toString('base64') === base64 ? decodeUtf8(bytes) : undefined;
  if (text === undefined) throw invalid('it is not the base64 of UTF-8 text.');
  try {
    const document = parseJson(withJsonEscapes(text), { maxBytes: maxBytesBeforeFile, maxDepth: 3 });
    if (isObject(document)) return new Map(Object.entries(document));
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
  }
  throw invalid('it is not a JSON object.');
}

// AWS's page has two escapes that JSON does not have. Outside of a string the text is no JSON before this, and none after it.
function withJsonEscapes(text: string): string {
  return text.replaceAll(/\\[\\$v]/g, (pair) => {
    if (pair === '\\$') return '$';
    return pair === '\\v' ? '\\u000b' : pair;
  });
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readCondition(condition: unknown): Condition {
  if (isObject(condition)) return readSimple(Object.entries(condition));
  if (!Array.isArray(condition) || condition.length !== 3) throw invalid('a condition is malformed.');
  const [operator, first, second] = condition as readonly unknown[];
  const kind = typeof operator === 'string' ? operator.toLowerCase() : undefined;
  if (kind === 'content-length-range')
    return { kind: 'length', least: readLength(first), most: readLength(second) };
  if (kind !== 'eq' && kind !== 'starts-with') throw invalid('a condition has an unknown operator.');
  if (typeof first !== 'string') throw invalid('a condition names no field.');
  const name = first.startsWith('$') ? first.slice(1).toLowerCase() : undefined;
  return { kind, written: first, name, value: readText(second) };
}

function readSimple([property, ...others]: readonly (readonly [string, unknown])[]): Condition {
  if (property === undefined || others.length > 0)
    throw invalid('a condition that is an object must have one property, no more and no less.');
  const [name, value] = property;
  return { kind: 'eq', written: `$${name}`, name: name.toLowerCase(), value: readText(value) };
}

// minio-js writes metadata that is given as a number as one, and so do programs that give the other SDKs a status such as 201.
function readText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  throw invalid('the value of a condition is not text.');
}

function readLength(value: unknown): number {
  const text = readText(value);
  if (!/^\d{1,15}$/.test(text)) throw invalid('content-length-range needs two numbers of bytes.');
  return Number(text);
}

function invalid(reason: string): ServiceError {
  return s3Error('InvalidPolicyDocument', `Invalid Policy: ${reason}`);
}
