import { collapseOws, trimOws } from '../../core/header-list.ts';
import { pathsOfKey } from '../../core/path-key.ts';
import type { ServiceError } from '../../core/service-error.ts';
import { s3Error } from '../errors.ts';
import { type FieldCondition, type LengthCondition, readPolicy } from './policy-document.ts';
import { isStoredAsHeader } from './put-request.ts';

/** What a form is checked against. */
export interface FormToCheck {
  /** By lower-case name, `${filename}` replaced, as they will be stored; `key` is one that may be forwarded. */
  readonly fields: ReadonlyMap<string, string>;
  /** The bucket that the request names. */
  readonly bucket: string;
  /** Bytes of the file. */
  readonly fileLength: number;
  /** When the form arrived, milliseconds since the Unix epoch. */
  readonly receivedAtMs: number;
}

/** Fields that no condition needs to name. */
const exempt: ReadonlySet<string> = new Set(['policy', 'x-amz-signature', 'file']);
const ignored = 'x-ignore-';

/** Types in one `Content-Type`. */
const maxTypes = 16;

/**
 * Checks a form against its policy, the signature of which must have been verified: every condition holds, and every field is named
 * by a condition. A condition on a field that is not there does not hold. Source: AWS "Creating a POST Policy".
 * @param policy in base64
 * @throws `InvalidPolicyDocument`, `AccessDenied`, `EntityTooSmall`, `EntityTooLarge`
 */
export function requirePolicy(policy: string, form: FormToCheck): void {
  const { expiresAtMs, conditions } = readPolicy(policy);
  if (form.receivedAtMs >= expiresAtMs) throw denied('Policy expired.');
  if ((form.fields.get('bucket') ?? form.bucket) !== form.bucket) throw denied('bucket is another one.');
  requireFewTypes(form.fields.get('content-type') ?? '');
  const named = new Set<string>();
  const spelled = new SpelledFields(form);
  for (const condition of conditions) {
    if (condition.kind === 'length') requireLength(condition, form.fileLength);
    else {
      if (condition.name !== undefined) named.add(condition.name);
      if (!spelled.fulfil(condition)) throw denied(`Policy Condition failed: ${describe(condition)}`);
    }
  }
  // The bucket counts as a field. Without a condition on it, the visitor would choose among all buckets of the signer.
  for (const name of ['bucket', ...form.fields.keys()]) {
    if (named.has(name) || exempt.has(name) || name.startsWith(ignored)) continue;
    throw denied(`Extra input fields: ${name.slice(0, 64)}`);
  }
}

// Each condition on the type looks at all of them.
function requireFewTypes(contentType: string): void {
  const commas = contentType.match(/,/g)?.length ?? 0;
  if (commas >= maxTypes) throw denied('Content-Type has too many types.');
}

// Texts and elements of AWS, which clients read to tell their users the limit (recorded in 2026-02 by LocalStack's tests).
function requireLength({ least, most }: LengthCondition, length: number): void {
  const ProposedSize = String(length);
  if (length < least) {
    const fields = { ProposedSize, MinSizeAllowed: String(least) };
    throw s3Error('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', {
      fields,
    });
  }
  if (length > most) {
    const fields = { ProposedSize, MaxSizeAllowed: String(most) };
    throw s3Error('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', { fields });
  }
}

/** The fields of a form, each spelled at most once: a hundred conditions on one long key took 4 ms. */
class SpelledFields {
  readonly #form: FormToCheck;
  readonly #spellings = new Map<string, readonly string[]>();

  constructor(form: FormToCheck) {
    this.#form = form;
  }

  fulfil({ kind, name, value }: FieldCondition): boolean {
    const { fields, bucket } = this.#form;
    if (name === undefined) return false;
    const found = name === 'bucket' ? bucket : fields.get(name);
    if (found === undefined) return false;
    // AWS compares the bucket as a whole.
    if (name === 'bucket') return found === value;
    // The signer's own text may have white space that headers lose.
    if (kind === 'eq')
      return found === value || (isStoredAsHeader(name) && found === collapseOws(trimOws(value)));
    return this.#spelled(name, found).every((one) => one.startsWith(value));
  }

  #spelled(name: string, value: string): readonly string[] {
    const known = this.#spellings.get(name) ?? spellingsOf(name, value);
    this.#spellings.set(name, known);
    return known;
  }
}

/** What must all begin with a prefix: of a key each name that a store might know it by, and of a list of types each type (AWS). */
function spellingsOf(name: string, value: string): readonly string[] {
  if (name === 'key') return [value, ...pathsOfKey(value)];
  return name === 'content-type' ? value.split(',').map(trimOws) : [value];
}

// The value of a condition can be the session token.
function describe({ kind, written }: FieldCondition): string {
  return JSON.stringify([kind, written.slice(0, 64)]);
}

function denied(reason: string): ServiceError {
  return s3Error('AccessDenied', `Invalid according to Policy: ${reason}`);
}
