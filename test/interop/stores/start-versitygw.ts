import { join } from 'node:path';
import { type RealStore, startStore } from './real-store.ts';

/** Starts versitygw on its own folders, with versioning. */
export function startVersitygw(): Promise<RealStore> {
  return startStore({
    name: 'versitygw',
    folders: ['data', 'iam', 'metadata', 'versions'],
    places: ['data', 'metadata', 'versions'],
    arguments: ({ folder, address }) => [
      '--port',
      address,
      '--iam-dir',
      join(folder, 'iam'),
      'posix',
      '--sidecar',
      join(folder, 'metadata'),
      '--versioning-dir',
      join(folder, 'versions'),
      join(folder, 'data'),
    ],
    environment: ({ accessKeyId, secretAccessKey }) => ({
      ROOT_ACCESS_KEY: accessKeyId,
      ROOT_SECRET_KEY: secretAccessKey,
    }),
  });
}
