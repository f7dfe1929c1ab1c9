import { join } from 'node:path';
import { type RealStore, startStore } from './real-store.ts';

/**
 * Starts versitygw on its own folders, with versioning.
 * @param attributes where it keeps attributes of objects: in those of their files, or in files of their own
 */
export function startVersitygw(attributes: 'extended attributes' | 'files'): Promise<RealStore> {
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
      ...(attributes === 'files' ? ['--sidecar', join(folder, 'metadata')] : []),
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
