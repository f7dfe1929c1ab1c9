import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { requireComponent } from '../components.ts';
import { type Client, type ClientKind, lacking, run, type Workplace } from './client.ts';

/** s3cmd of the distribution. */
export const s3cmd: ClientKind = { name: 's3cmd', lacks: ['ranges', 'presigning'], open };

/**
 * It has no ranged get, and `signurl` knows only signature version 2, which has no place for a session token.
 */
async function open({ endpoint, credentials, bucket, folder }: Workplace): Promise<Client> {
  const { host } = new URL(endpoint);
  const settings = join(folder, 's3cmd.cfg');
  const lines = [
    '[default]',
    `access_key = ${credentials.accessKeyId}`,
    `secret_key = ${credentials.secretAccessKey}`,
    `access_token = ${credentials.sessionToken}`,
    `host_base = ${host}`,
    `host_bucket = ${host}`,
    'bucket_location = us-east-1',
    'use_https = False',
    'signature_v2 = False',
    'multipart_chunk_size_mb = 5',
  ];
  await writeFile(settings, `${lines.join('\n')}\n`, { mode: 0o600 });
  const s3cmd = (...args: readonly string[]): Promise<string> =>
    run(requireComponent('s3cmd'), ['--config', settings, '--no-progress', ...args], {
      LC_ALL: 'C.UTF-8',
    });
  const url = (key: string): string => `s3://${bucket}/${key}`;
  return {
    put: (key, file) => s3cmd('put', file, url(key)),
    putParts: (key, file) => s3cmd('put', file, url(key)),
    get: (key, file) => s3cmd('get', '--force', url(key), file),
    getBytes2To5: lacking,
    presign: lacking,
    list: async (prefix) => {
      const printed = await s3cmd('ls', '--recursive', url(prefix));
      // Date, time, size and address.
      return printed
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.slice(line.indexOf(url('')) + url('').length));
    },
    delete: (key) => s3cmd('del', url(key)),
  };
}
