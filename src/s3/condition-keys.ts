import { s3Keys } from './condition-key-table.ts';
import { s3Error } from './errors.ts';
import { durationDays, objectLockKeys, parseCount, parseInstant } from './object-lock.ts';
import type {
  ConditionKey,
  ForwardedHeaders,
  ObjectTag,
  RequestedResource,
  S3Operation,
} from './operation.ts';
import { parseFormTags } from './tagging-header.ts';

/** What of the key table concerns one operation. */
interface KeyPlan {
  readonly headers: readonly (readonly [name: string, key: string])[];
  readonly parameters: readonly (readonly [name: string, key: string, fallback: string | undefined])[];
  readonly fixed: readonly ConditionKey[];
  readonly makesObject: boolean;
}

const plans = new WeakMap<S3Operation, KeyPlan>();

function planOf(operation: S3Operation): KeyPlan {
  const known = plans.get(operation);
  if (known !== undefined) return known;
  const plan = makePlan(operation);
  plans.set(operation, plan);
  return plan;
}

function makePlan(operation: S3Operation): KeyPlan {
  const headers: [string, string][] = [];
  const parameters: [string, string, string | undefined][] = [];
  for (const { key, source, knownBy } of s3Keys) {
    if (source.from !== 'header' && source.from !== 'parameter') continue;
    const accepted = source.from === 'header' ? operation.headers : operation.parameters;
    if (!(knownBy?.(operation) ?? accepted.includes(source.name))) continue;
    if (source.from === 'header') headers.push([source.name, key]);
    else parameters.push([source.name, key, source.fallback]);
  }
  return {
    headers,
    parameters,
    fixed: Object.entries(operation.fixedContext ?? {}).map(([key, value]) => [key, [value]]),
    makesObject: operation.headers.includes('x-amz-tagging'),
  };
}

/** No key of S3 has longer values; policies match patterns against them, so their length is work. */
const maxValueLength = 2048;

function add(keys: ConditionKey[], key: string, value: string | undefined): void {
  if (value === undefined) return;
  if (value.length > maxValueLength) throw s3Error('InvalidArgument', `The value for ${key} is too long.`);
  keys.push([key, [value]]);
}

/**
 * The `s3:*` context of a request, of the keys that its actions know. Built from the table only: no header or parameter
 * is copied wholesale.
 * @throws `InvalidArgument` when a value cannot be read
 */
export function s3ConditionKeys(request: RequestedResource, accountId: string): ConditionKey[] {
  const { operation, parameters, headers, copySource } = request;
  const plan = planOf(operation);
  const keys: ConditionKey[] = [['s3:ResourceAccount', [accountId]]];
  if (operation.scope !== 'service') keys.push(['aws:ResourceAccount', [accountId]]);
  for (const [name, key] of plan.headers) add(keys, key, headers.get(name));
  for (const [name, key, fallback] of plan.parameters) add(keys, key, parameters.get(name) ?? fallback);
  // Clients spell it in several ways; policies compare one spelling.
  if (copySource !== undefined) add(keys, 's3:x-amz-copy-source', `${copySource.bucket}/${copySource.key}`);
  for (const entry of plan.fixed) keys.push(entry);
  if (plan.makesObject) addObjectKeys(keys, headers, request.receivedAtMs ?? 0);
  return keys;
}

function addObjectKeys(keys: ConditionKey[], headers: ForwardedHeaders, nowMs: number): void {
  const retainUntil = headers.get('x-amz-object-lock-retain-until-date');
  const days = headers.get('x-amz-object-lock-event-hold-duration-days');
  const years = headers.get('x-amz-object-lock-event-hold-duration-years');
  if (days !== undefined && years !== undefined) {
    throw s3Error('InvalidArgument', 'An event hold lasts either days or years.');
  }
  if (retainUntil !== undefined || days !== undefined || years !== undefined) {
    const retainUntilMs = retainUntil === undefined ? undefined : parseInstant(retainUntil);
    const eventHoldDays = durationDays(readCount(days), readCount(years));
    keys.push(...objectLockKeys({ retainUntilMs, eventHoldDays }, nowMs));
  }
  const tagging = headers.get('x-amz-tagging');
  if (tagging !== undefined) keys.push(...tagKeys(parseFormTags(tagging)));
}

function readCount(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseCount(text);
}

/** `s3:RequestObjectTag/<key>` and `s3:RequestObjectTagKeys` of tags that are to be set. */
export function tagKeys(tags: readonly ObjectTag[]): ConditionKey[] {
  return [
    ...tags.map(([key, value]): ConditionKey => [`s3:RequestObjectTag/${key}`, [value]]),
    ['s3:RequestObjectTagKeys', tags.map(([key]) => key)],
  ];
}
