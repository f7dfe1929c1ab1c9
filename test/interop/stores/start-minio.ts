import { join } from 'node:path';
import { type RealStore, startStore } from './real-store.ts';

/** Starts MinIO on one folder. */
export function startMinio(): Promise<RealStore> {
  return startStore({
    name: 'minio',
    folders: ['data'],
    places: ['data/data', 'data/.minio.sys/tmp', 'data/.minio.sys/multipart'],
    arguments: ({ folder, address }) => ['server', '--quiet', '--address', address, join(folder, 'data')],
    environment: ({ accessKeyId, secretAccessKey }) => ({
      MINIO_ROOT_USER: accessKeyId,
      MINIO_ROOT_PASSWORD: secretAccessKey,
      MINIO_BROWSER: 'off',
      MINIO_UPDATE: 'off',
    }),
  });
}
