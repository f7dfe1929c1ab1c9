import { anonymousKeys, globalKeys } from '../../authorize/global-keys.ts';
import { storeKeyPrefixes } from '../../authorize/store-keys.ts';
import { foldCase } from '../../core/fold-case.ts';
import { HeaderList } from '../../core/header-list.ts';
import { climbsOut } from '../../core/path-key.ts';
import type { RawRequest } from '../../core/raw-request.ts';
import type { ContextEntry } from '../../iam/request-context.ts';
import { s3ConditionKeys } from '../../s3/condition-keys.ts';
import { lookupKeysOf } from '../../s3/lookup-keys.ts';
import type { ConditionKey } from '../../s3/operation.ts';
import { isVersionId } from '../../s3/store-id.ts';
import { type Asker, untoldOf } from './asker.ts';
import type { KnownAction } from './known-actions.ts';
import { type Circumstances, QuestionError } from './question.ts';
import type { World } from './world.ts';

/** Keys that every request has, with values that only a real request knows. They have to be given, and are never guessed. */
const requestOnlyKeys: readonly string[] = ['aws:sourceip', 's3:x-amz-content-sha256'];

/** A request that arrives now, or at the `aws:CurrentTime` of the circumstances, without TLS and without a client address. */
export function simulatedRequest({ context }: Circumstances, nowMs: number): RawRequest {
  const [, time] = context.find(([key]) => key.toLowerCase() === 'aws:currenttime') ?? [];
  const given = Date.parse(String(time));
  return {
    method: 'GET',
    path: '/',
    query: '',
    parameters: [],
    headers: new HeaderList([]),
    clientAddress: '',
    isSecure: false,
    receivedAtMs: Number.isNaN(given) ? nowMs : given,
    requestId: 'policy-simulate',
  };
}

/** One S3 permission that is asked for. */
export interface S3Question {
  readonly known: Extract<KnownAction, { service: 's3' }>;
  /** An ARN. */
  readonly resource: string;
  readonly bucket: string;
  /** Empty for a bucket. */
  readonly key: string;
}

/** The parts of a request context. */
export interface S3Context {
  readonly entries: readonly ConditionKey[];
  /** Keys that were not given. */
  readonly lazyKeys: readonly string[];
}

/**
 * The context of an S3 request: what the sidecar itself would set, overridden by what is given.
 * @throws QuestionError for a tag that the sidecar would not look up for this action, and for a prefix or version that it refuses.
 */
export function s3Context(
  { known, resource, bucket, key }: S3Question,
  { asker, circumstances, world, raw }: Simulated,
): S3Context {
  const { account } = world.settings;
  const { action, operation } = known;
  checkPrefix(circumstances);
  checkVersion(circumstances);
  const object = key === '' ? undefined : { bucket, key };
  const lookupKeys = lookupKeysOf({ action, resource, object });
  for (const [name] of circumstances.context) {
    const prefix = storeKeyPrefixes.find((one) => name.toLowerCase().startsWith(one));
    if (prefix === undefined || lookupKeys.includes(prefix)) continue;
    throw new QuestionError(
      'context',
      `${action} on ${resource} does not know ${name}: requests never have it`,
    );
  }
  const caller =
    asker.kind === 'caller'
      ? globalKeys(raw, asker.caller, account.region)
      : anonymousKeys(raw, account.region);
  const requested = { operation, bucket, key, parameters: new Map(), headers: new Map() };
  const entries = [...caller, ...signatureKeys(asker), ...s3ConditionKeys(requested, account.id)];
  const untold = untoldOf(asker);
  const overlaid = overlaidEntries(entries, circumstances, untold);
  return {
    entries: overlaid.map(([name, value]) => [name, typeof value === 'string' ? [value] : value]),
    lazyKeys: untoldKeys([...lookupKeys, ...requestOnlyKeys, ...untold], circumstances),
  };
}

// The sidecar answers such a listing with 400 before anything is decided.
function checkPrefix({ context }: Circumstances): void {
  const [, prefix] = context.find(([key]) => key.toLowerCase() === 's3:prefix') ?? [];
  if (typeof prefix !== 'string' || !climbsOut(prefix)) return;
  throw new QuestionError('context', `${JSON.stringify(prefix.slice(0, 128))} leads out of the bucket`);
}

// So it does where the version is no id.
function checkVersion({ context }: Circumstances): void {
  const [, version] = context.find(([key]) => key.toLowerCase() === 's3:versionid') ?? [];
  if (typeof version !== 'string' || isVersionId(version)) return;
  throw new QuestionError(
    'context',
    `${JSON.stringify(version.slice(0, 128))} is no id of a version that the sidecar accepts`,
  );
}

/** One request as the simulator sees it. */
export interface Simulated {
  readonly asker: Asker;
  readonly circumstances: Circumstances;
  readonly world: World;
  readonly raw: RawRequest;
}

// A request signed in its header, as nearly all are.
function signatureKeys({ kind }: Asker): ContextEntry[] {
  if (kind === 'anonymous') return [];
  return [
    ['s3:signatureversion', 'AWS4-HMAC-SHA256'],
    ['s3:authType', 'REST-HEADER'],
  ];
}

/** The entries, overridden by those of the circumstances, and without those whose values are not known. */
export function overlaidEntries(
  entries: readonly ContextEntry[],
  { context, absent }: Circumstances,
  untold: readonly string[] = [],
): ContextEntry[] {
  const given = context.map(([key]) => key);
  const replaced = new Set([...given, ...absent, ...requestOnlyKeys, ...untold].map(foldCase));
  return [...entries.filter(([key]) => !replaced.has(foldCase(key))), ...context];
}

/** Keys that were not given. The decision names those that it depends on. */
export function untoldKeys(keys: readonly string[], { absent }: Circumstances): string[] {
  const told = new Set(absent.map(foldCase));
  return keys.map(foldCase).filter((key) => !told.has(key));
}

/** For a trust decision: where the request comes from. */
export const trustRequestKeys: readonly string[] = ['aws:sourceip'];

/**
 * Checks the parts of the circumstances against each other.
 * @throws QuestionError for what is no context key, and for a key that is given and absent.
 */
export function checkCircumstances({ context, absent }: Circumstances): void {
  for (const [key] of context) if (!isKeyName(key)) throw notAKey('context', key);
  for (const key of absent) if (!isKeyName(key)) throw notAKey('absent', key);
  const names = context.map(([key]) => foldCase(key));
  const repeated = names.find((key, index) => names.indexOf(key) < index);
  if (repeated !== undefined)
    throw new QuestionError('context', `${JSON.stringify(repeated)} is given twice`);
  const given = new Set(names);
  const both = absent.find((key) => given.has(foldCase(key)));
  if (both !== undefined) throw new QuestionError('absent', `${JSON.stringify(both)} is given a value too`);
  const tag = absent.find((key) => storeKeyPrefixes.some((prefix) => isBelow(key, prefix)));
  if (tag === undefined) return;
  const prefix = tag.slice(0, tag.indexOf('/') + 1);
  throw new QuestionError(
    'absent',
    `${JSON.stringify(tag)} must be ${JSON.stringify(prefix)}: all but those given`,
  );
}

function isBelow(key: string, prefix: string): boolean {
  return key.length > prefix.length && key.toLowerCase().startsWith(prefix);
}

// `login.example.com:8443/realms/a:sub` is one.
function isKeyName(key: string): boolean {
  return /^[^\s:]+:\S/.test(key) && key.length <= maxKeyLength;
}

const maxKeyLength = 1024;

function notAKey(field: 'context' | 'absent', key: string): QuestionError {
  const shown = JSON.stringify(key.slice(0, 128));
  return new QuestionError(field, `${shown} is not a context key: expected a name such as aws:SourceIp`);
}
