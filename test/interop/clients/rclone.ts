import { readFile, writeFile } from 'node:fs/promises';
import { requireComponent } from '../components.ts';
import { type Client, type ClientKind, run, type Workplace } from './client.ts';

/** rclone of the distribution; it treats keys as paths, in which two slashes in a row are one. */
export const rclone: ClientKind = { name: 'rclone', lacks: ['double slashes'], open };

function open({ endpoint, credentials, bucket, environment }: Workplace): Client {
  const rclone = (...args: readonly string[]): Promise<string> =>
    run(requireComponent('rclone'), ['--config', '/dev/null', '--retries', '1', ...args], {
      RCLONE_CONFIG_STORE_TYPE: 's3',
      RCLONE_CONFIG_STORE_PROVIDER: 'Other',
      RCLONE_CONFIG_STORE_ENDPOINT: endpoint,
      RCLONE_CONFIG_STORE_REGION: 'us-east-1',
      RCLONE_CONFIG_STORE_ACCESS_KEY_ID: credentials.accessKeyId,
      RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      RCLONE_CONFIG_STORE_SESSION_TOKEN: credentials.sessionToken,
      RCLONE_CONFIG_STORE_FORCE_PATH_STYLE: 'true',
      RCLONE_CONFIG_STORE_NO_CHECK_BUCKET: 'true',
      ...environment,
    });
  const object = (key: string): string => `store:${bucket}/${key}`;
  return {
    // The answers to the HEAD that it sends first have no body to read a code from.
    put: (key, file) => rclone('copyto', '--no-check-dest', '--s3-no-head', file, object(key)),
    putParts: (key, file) =>
      rclone('copyto', '--s3-upload-cutoff', '5Mi', '--s3-chunk-size', '5Mi', file, object(key)),
    get: (key, file) => rclone('copyto', object(key), file),
    getBytes2To5: async (key, file) => {
      await writeFile(file, await rclone('cat', '--offset', '2', '--count', '4', object(key)));
      return await readFile(file);
    },
    list: async (prefix) => {
      // It lists folders only.
      const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
      const printed = await rclone('lsf', '--recursive', '--files-only', `store:${bucket}/${folder}`);
      return printed
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => folder + line)
        .filter((key) => key.startsWith(prefix));
    },
    delete: (key) => rclone('deletefile', object(key)),
    presign: async (key) => (await rclone('link', '--expire', '5m', object(key))).trim(),
  };
}
