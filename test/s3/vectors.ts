import { readFileSync } from 'node:fs';
import { ServiceError } from '../../src/core/service-error.ts';
import { type StoreFeature, storeFeatures } from '../../src/core/store-feature.ts';
import { withDocument } from '../../src/s3/document.ts';
import type { ConditionKey, Permission, S3Request } from '../../src/s3/operation.ts';
import { type RouteSettings, route } from '../../src/s3/route.ts';
import { toRawRequest } from '../support/raw-requests.ts';

type Context = Readonly<Record<string, readonly string[]>>;

/** A request as a file has it. */
export interface WrittenRequest {
  /** Method and target: `GET /bucket/key?acl`. */
  readonly request: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What a request must be classified as, by the operation it stands under; or the code it is refused with. */
export interface RouteVector extends WrittenRequest {
  readonly bucket: string;
  readonly key: string;
  readonly version?: string;
  readonly refusal?: string;
}

/** What is decided: permissions as `action resource`. */
export interface Asked {
  readonly permissions: readonly string[];
  readonly context: Context;
}

/** What a request must be authorized for; or the code it is refused with. */
export interface AuthorizationVector extends WrittenRequest, Asked {
  readonly when: string;
  /** Context keys of one of the permissions alone. */
  readonly ownContext?: Readonly<Record<string, Context>>;
  /** Instead of permissions, for a request that stands for many. */
  readonly items?: readonly Asked[];
  readonly refusal?: string;
}

/** Everything that is known about one operation. */
export interface OperationVectors {
  readonly name: string;
  readonly class: string;
  readonly source: string;
  readonly routes: readonly RouteVector[];
  readonly authorizations: readonly AuthorizationVector[];
}

function readVectors(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../vectors/s3/${name}.json`, import.meta.url), 'utf8'));
}

/** The vectors of every operation. */
export const operationVectors: readonly OperationVectors[] = (
  readVectors('operations') as { operations: readonly OperationVectors[] }
).operations;

/** The name of every operation, by its class. */
export const operationNames: Readonly<Record<string, readonly string[]>> = (
  readVectors('operation-names') as { classes: Record<string, readonly string[]> }
).classes;

/** Everything that `backend.supports` can name. */
export const allFeatures: ReadonlySet<StoreFeature> = new Set(storeFeatures);

/** What all vectors are for. */
export const vectorSettings: RouteSettings = {
  virtualHosts: ['s3.example.internal'],
  supports: allFeatures,
  accountId: '123456789012',
  partition: 'aws',
};

/** Routes a request without its body. `more` headers follow its own. */
export function routed(
  { request, headers = {} }: WrittenRequest,
  more: readonly (readonly [name: string, value: string])[] = [],
): S3Request {
  const space = request.indexOf(' ');
  const raw = toRawRequest({
    method: request.slice(0, space),
    target: request.slice(space + 1),
    headers: [...Object.entries({ host: 'localhost:9000', ...headers }), ...more],
  });
  if (raw === undefined) throw new Error(`unreadable: ${request}`);
  return route(raw, vectorSettings);
}

/** Routes a request and, where its operation takes a document, reads that. */
export function understood(
  written: WrittenRequest,
  body: Buffer = Buffer.from(written.body ?? ''),
): S3Request {
  const request = routed(written);
  if (request.operation.body !== 'document') return request;
  return withDocument(request, body, vectorSettings.partition);
}

/** The code of the S3 error that an action throws. */
export function refusalOf(action: () => S3Request): string {
  try {
    const { operation, refusal } = action();
    if (refusal !== undefined) throw refusal;
    return `accepted as ${operation.name}`;
  } catch (error) {
    if (error instanceof ServiceError) return error.code;
    throw error;
  }
}

/** `action resource` of permissions, in their order. */
export function namesOf(permissions: readonly Permission[]): string[] {
  return permissions.map(({ action, resource }) => `${action} ${resource}`);
}

// The same for every request, and tested once.
const ofEveryRequest: ReadonlySet<string> = new Set(['s3:ResourceAccount', 'aws:ResourceAccount']);

/** Context keys with their values, without those that every request has. A repeated key is an error. */
export function contextOf(keys: readonly ConditionKey[]): Context {
  const told = keys.filter(([key]) => !ofEveryRequest.has(key));
  const names = told.map(([key]) => key.toLowerCase());
  if (new Set(names).size !== names.length) throw new Error(`repeated: ${names.join(', ')}`);
  return Object.fromEntries(told.map(([key, values]) => [key, [...values]]));
}
