import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { s3Client } from '../../support/sdk.ts';
import { type StoreKind, storeKinds } from './index.ts';
import type { RealStore } from './real-store.ts';

/** A kind of store with a setting of `backend.trailers` that it works with. */
export interface StoreMode extends StoreKind {
  readonly trailers: 'reframe' | 'decode';
}

/** Every store with every setting of `backend.trailers` that it works with. */
export const storeModes: readonly StoreMode[] = storeKinds.flatMap((kind) =>
  (kind.trailers === 'decode' ? (['decode'] as const) : (['reframe', 'decode'] as const)).map((trailers) => ({
    ...kind,
    trailers,
  })),
);

/** What a store has in a bucket. */
export interface Held {
  readonly objects: readonly (readonly [key: unknown, size: unknown, etag: unknown])[];
  readonly uploads: readonly (readonly [key: unknown, id: unknown])[];
  readonly parts: readonly (readonly [number: unknown, size: unknown, etag: unknown])[];
  /** The content of the object that was there before. */
  readonly kept: Buffer;
  /** Every file of a store that keeps files: an unfinished object has no other name. */
  readonly files: readonly string[];
}

/** A bucket with one object and one part of an upload, in which nothing may change. */
export interface UploadTarget {
  /** Places for an object and for a part: over one that is there, and where there is none. */
  readonly paths: readonly string[];
  /** Everything that the store has in it. */
  held(): Promise<Held>;
  remove(): Promise<void>;
}

/** Fills a bucket of a store, with the store's own key. */
export async function createUploadTarget(store: RealStore, Bucket = 'data'): Promise<UploadTarget> {
  const config = { requestChecksumCalculation: 'WHEN_REQUIRED' } as const;
  const atStore = s3Client(store.endpoint, store, { config });
  await atStore.send(new CreateBucketCommand({ Bucket }));
  await atStore.send(new PutObjectCommand({ Bucket, Key: 'kept', Body: 'before' }));
  const { UploadId } = await atStore.send(new CreateMultipartUploadCommand({ Bucket, Key: 'parted' }));
  const upload = { Bucket, Key: 'parted', UploadId };
  await atStore.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: 'part before' }));
  const part = (number: number): string => `/${Bucket}/parted?partNumber=${number}&uploadId=${UploadId}`;
  return {
    paths: [`/${Bucket}/kept`, `/${Bucket}/never`, part(1), part(2)],
    held: async () => {
      const objects = await atStore.send(new ListObjectsV2Command({ Bucket }));
      const uploads = await atStore.send(new ListMultipartUploadsCommand({ Bucket }));
      const parts = await atStore.send(new ListPartsCommand(upload));
      const { Body } = await atStore.send(new GetObjectCommand({ Bucket, Key: 'kept' }));
      return {
        objects: (objects.Contents ?? []).map(({ Key, ETag, Size }) => [Key, Size, ETag] as const),
        uploads: (uploads.Uploads ?? []).map(({ Key, UploadId: id }) => [Key, id] as const),
        parts: (parts.Parts ?? []).map(({ PartNumber, ETag, Size }) => [PartNumber, Size, ETag] as const),
        files: await filesIn(store.places ?? []),
        kept: Buffer.from((await Body?.transformToByteArray()) ?? []),
      };
    },
    remove: async () => {
      await atStore.send(new AbortMultipartUploadCommand(upload));
    },
  };
}

async function filesIn(places: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    places.map(async (place) => {
      const entries = await readdir(place, { recursive: true, withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    }),
  );
  // MinIO's bin is emptied when there is time.
  return found
    .flat()
    .filter((file) => !file.includes('/.trash/'))
    .sort();
}
