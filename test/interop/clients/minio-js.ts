import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { Client as MinioClient } from 'minio';
import type { Client, ClientKind, Workplace } from './client.ts';

/**
 * The MinIO client for JavaScript. It decodes the keys in listings, which it asks for in URL encoding, even where the
 * store answers that it did not encode them, as versitygw does.
 */
export const minioJs: ClientKind = { name: 'minio-js', lacks: ['plain listings'], open };

function open({ endpoint, credentials, bucket }: Workplace): Client {
  const { hostname, port } = new URL(endpoint);
  const client = new MinioClient({
    endPoint: hostname,
    port: Number(port),
    useSSL: false,
    accessKey: credentials.accessKeyId,
    secretKey: credentials.secretAccessKey,
    sessionToken: credentials.sessionToken,
    region: 'us-east-1',
    pathStyle: true,
    partSize: 5 * 1024 * 1024,
  });
  return {
    put: (key, file) => client.fPutObject(bucket, key, file),
    putParts: (key, file) => client.fPutObject(bucket, key, file),
    get: async (key, file) => await pipeline(await client.getObject(bucket, key), createWriteStream(file)),
    getBytes2To5: async (key, file) =>
      await pipeline(await client.getPartialObject(bucket, key, 2, 4), createWriteStream(file)),
    list: async (prefix) => {
      const keys: string[] = [];
      for await (const found of client.listObjectsV2(bucket, prefix, true)) {
        keys.push(String((found as { name?: unknown }).name));
      }
      return keys;
    },
    delete: (key) => client.removeObject(bucket, key),
    presign: (key) => client.presignedGetObject(bucket, key, 300),
  };
}
