import type { KeyAlias } from '../core/path-key.ts';
import type { RawRequest } from '../core/raw-request.ts';
import type { ServiceError } from '../core/service-error.ts';
import type { StoreFeature } from '../core/store-feature.ts';
import type { CopySource } from './copy-source.ts';

/** What an operation works on. */
export type OperationScope = 'service' | 'bucket' | 'object';

/** What kind of body an operation takes: none, a small XML document read whole, or an object's bytes. */
export type BodyKind = 'none' | 'document' | 'object';

/** An action on a resource that must be allowed. */
export interface Permission {
  /** `s3:GetObject` */
  readonly action: string;
  /** The resource's ARN. */
  readonly resource: string;
  /** Context keys of this decision alone, beside those of the request. */
  readonly conditionKeys?: readonly ConditionKey[];
  /** The object that the resource names; `undefined` for buckets and the service. */
  readonly object: PermissionObject | undefined;
  /** Present when the action applies to everything with this prefix, and not to the resource alone. */
  readonly within?: string;
  /** Prefixes of context keys whose values are not known. A statement that needs one denies. */
  readonly unknownKeys?: readonly string[];
}

/** The object that a permission is about. */
export interface PermissionObject {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string | undefined;
  /** Other keys that a store might find it under, beside those of {@link pathsOfKey}. */
  readonly aliases?: readonly KeyAlias[] | undefined;
}

/** One row of the operation table. */
export interface S3Operation {
  /** AWS's name, also the value of the `operation` label. */
  readonly name: string;
  readonly method: string;
  readonly scope: OperationScope;
  /** Query parameters that select this operation, as `name` (no value) or `name=value` or `name=*` (any value). */
  readonly selectors: readonly string[];
  /** A header that selects this operation. */
  readonly selectingHeader?: string;
  /** Further query parameters it understands; they are forwarded. */
  readonly parameters: readonly string[];
  /** `x-amz-*` headers it understands beside those of every object operation. */
  readonly headers: readonly string[];
  readonly body: BodyKind;
  /** How its document is read; only where `body` is `document`. */
  readonly document?: DocumentRule;
  /** The IAM action; `undefined` in a row that is refused with NotImplemented, and in the preflight. */
  readonly action: string | undefined;
  /** Replaces `action` when `versionId` is present. */
  readonly versionAction?: string;
  /** Further permissions that it, or headers of the request, make necessary. */
  readonly conditionalActions?: (headers: ForwardedHeaders, isVersioned: boolean) => readonly string[];
  /** What it makes from another object, which `x-amz-copy-source` names. */
  readonly copies?: 'object' | 'part';
  /** True when it reads an object's bytes. A part of a list or document could be mistaken for the whole. */
  readonly takesRange?: true;
  /** True when it lists the buckets, of which callers may be shown some only. */
  readonly listsBuckets?: true;
  /** True when it makes an object from parts that were uploaded before. */
  readonly completesUpload?: true;
  /** True when a store may send 200 before it knows the outcome. An error then follows in the body. */
  readonly mayFailLate?: true;
  /** Present when a store might find what it is about under another key, beside those of {@link pathsOfKey}. */
  readonly aliasesOf?: (key: string) => readonly KeyAlias[];
  /** True when it makes the newest version of the object that it names: content, or a delete marker. */
  readonly makesVersion?: true;
  /** True when its 404 tells that the object it names does not exist. */
  readonly revealsMissing?: true;
  /** True when its answer carries headers that need permissions of their own. */
  readonly guardsHeaders?: true;
  /**
   * True for a CORS preflight. It has no caller and needs no permissions, so it must never be signed with the store's key:
   * a request without permissions cannot become `Authorized`.
   */
  readonly isPreflight?: true;
  /**
   * Present when some stores ignore the selector and perform the operation that the request names without it. `probe` when
   * a read with the same selector shows that safely, else the feature that `backend.supports` must name.
   */
  readonly unlessKnown?: 'probe' | StoreFeature;
  /**
   * The root elements that the answer to a read with its selector may have. Present where some stores show the object, or a list of objects, since
   * they ignore the selector (Swift, SeaweedFS before its object lock: by their sources, 2026-11-30).
   */
  readonly answerRoots?: readonly string[];
  /** True when the bucket must have object lock: a store that does not know the selector would replace the object by the document. */
  readonly needsLock?: true;
  /** `x-amz-*` headers without which it is refused. */
  readonly requiredHeaders?: readonly string[];
  /** Conditions that some stores ignore: the header, and the feature that `backend.supports` must name. */
  readonly conditions?: ReadonlyMap<string, StoreFeature>;
  /** True when its `x-amz-checksum-*` are those of an object that it makes, and not of its own body. */
  readonly checksumsOfAnother?: true;
  /** Context keys with a value fixed by the operation. */
  readonly fixedContext?: Readonly<Record<string, string>>;
}

/** How the body of a document operation is read. */
export interface DocumentRule {
  readonly maxBytes: number;
  /**
   * Reads what matters to the decision; a row without it passes the document on byte for byte.
   * @throws S3 errors
   */
  readonly read?: (request: S3Request, body: Buffer, partition: string) => DocumentFacts;
  /** Every action that the document can make necessary beside those of the row. */
  readonly actions?: readonly string[];
  /** Only of a {@link Batch}: every item needs one of these, on an object of the bucket. */
  readonly itemActions?: readonly string[];
}

/** What a document says that matters to the decision. */
export interface DocumentFacts {
  readonly conditionKeys?: readonly ConditionKey[];
  /** Needed beside those of the request. */
  readonly permissions?: readonly Permission[];
  /** The document written anew from what was understood; `undefined` when it is passed on byte for byte. */
  readonly rewritten?: Buffer;
  /** Present when the request stands for many, which replaces its permissions. */
  readonly batch?: Batch;
}

/** The headers that are forwarded, by lower-case name. */
export type ForwardedHeaders = ReadonlyMap<string, string>;

/** A context key of IAM with its values. */
export type ConditionKey = readonly [key: string, values: readonly string[]];

/** One of the many things that a batch asks for. */
export interface BatchItem {
  readonly permissions: readonly Permission[];
  readonly conditionKeys: readonly ConditionKey[];
}

/** A request that stands for many: each item is decided alone, and only the allowed ones are forwarded. */
export interface Batch {
  readonly items: readonly BatchItem[];
  /** The body with the items of those indexes only. */
  readonly writeBody: (allowed: readonly number[]) => Buffer;
  /** The answer to the client; `storeResult` is `undefined` when no item was allowed, so that the store was not asked. */
  readonly writeResult: (storeResult: Uint8Array | undefined, denied: readonly number[]) => Buffer;
}

/** How to answer ListBuckets for a caller who may list only some buckets. */
export interface BucketFilter {
  /** The parameters sent to the store. They ask for the whole list, because pages would reveal how many buckets are hidden. */
  readonly parameters: ReadonlyMap<string, string>;
  /** The permission that makes one bucket visible. */
  readonly permissionOn: (bucket: string) => Permission;
  /** @throws `InternalError` for what is no bucket list */
  readonly read: (storeResult: Uint8Array) => BucketList;
}

/** The store's buckets. */
export interface BucketList {
  readonly names: readonly string[];
  /** The list with those buckets only; `undefined` when that is nothing. */
  readonly write: (visible: ReadonlySet<string>) => Buffer | undefined;
}

/** A tag of an object or a bucket. */
export type ObjectTag = readonly [key: string, value: string];

/** The tags that a copy might take from its source: the permissions it needs depend on whether there are any. */
export interface TagCopy {
  /** What the request says about them; `undefined` when it says nothing. */
  readonly directive: 'COPY' | 'REPLACE' | undefined;
  /** Reads the tags of the source. */
  readonly reads: Permission;
  /** What making an object with those tags needs; `undefined` for tags that are not known. */
  readonly sets: (tags: readonly ObjectTag[] | undefined) => readonly Permission[];
  /** The headers of a copy that sets exactly those tags. */
  readonly withTags: (tags: readonly ObjectTag[]) => ForwardedHeaders;
}

/** One S3 request, classified as exactly one operation. What is authorized and what is forwarded come from here. */
export interface S3Request {
  readonly raw: RawRequest;
  readonly operation: S3Operation;
  /** Empty for service operations. */
  readonly bucket: string;
  /** The decoded key; empty for service and bucket operations. */
  readonly key: string;
  /** Every query parameter that is forwarded, decoded. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly headers: ForwardedHeaders;
  /** Optional store features (`backend.supports`). */
  readonly supports: ReadonlySet<StoreFeature>;
  /** All must be allowed; empty only for a {@link Batch}. */
  readonly permissions: readonly Permission[];
  readonly conditionKeys: readonly ConditionKey[];
  /** The object that a copy reads; `headers` carry it written anew. */
  readonly copySource?: CopySource | undefined;
  /** The body of a document operation, once it has been read and its digest verified. */
  readonly document?: Buffer | undefined;
  /** True when `document` was written anew, so that digests of the original no longer fit. */
  readonly isDocumentRewritten?: true;
  readonly batch?: Batch | undefined;
  readonly bucketFilter?: BucketFilter | undefined;
  /** Present when the store might copy the tags of the source. */
  readonly tagCopy?: TagCopy | undefined;
  /** Without all of these permissions a 404 of the store is answered as 403, so that names cannot be probed. */
  readonly seesMissing: readonly Permission[];
  /** Response headers that are removed unless the permission is given. */
  readonly guardedHeaders: readonly (readonly [header: `x-amz-${string}`, permission: Permission])[];
  /**
   * The error to answer with instead of forwarding, once the request is authorized. It reveals something about this endpoint,
   * which unauthorized callers must not learn.
   */
  readonly refusal: ServiceError | undefined;
}

/** What the permissions of a request depend on. */
export interface RequestedResource {
  readonly operation: S3Operation;
  readonly bucket: string;
  readonly key: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly headers: ForwardedHeaders;
  readonly copySource?: CopySource | undefined;
  /** Milliseconds since the Unix epoch. */
  readonly receivedAtMs?: number;
}

/** True for operations whose request body may be aws-chunked. */
export function allowsStreaming(operation: S3Operation): boolean {
  return operation.body === 'object';
}

/** The ARN of a bucket. */
export function bucketArn(partition: string, bucket: string): string {
  return `arn:${partition}:s3:::${bucket}`;
}

/** The ARN of an object. */
export function objectArn(partition: string, bucket: string, key: string): string {
  return `arn:${partition}:s3:::${bucket}/${key}`;
}
