import { type Boto3, runPython } from '../python.ts';
import type { Client, ClientKind, Workplace } from './client.ts';

/** boto3 of the distribution. */
export const debianBoto3: ClientKind = {
  name: 'boto3 of Debian',
  lacks: [],
  open: (place) => open(place, 'debian'),
};

/** boto3, current: it sends its uploads with checksum trailers. */
export const currentBoto3: ClientKind = {
  name: 'the current boto3',
  lacks: [],
  open: (place) => open(place, 'current'),
};

function open({ endpoint, credentials, bucket, environment }: Workplace, version: Boto3): Client {
  const call = (operation: string, given: Readonly<Record<string, string>>): Promise<unknown> => {
    const input = { endpoint, bucket, operation, ...credentials, ...given };
    return runPython(version, '../clients/boto3_client.py', input, environment);
  };
  return {
    put: (key, file) => call('put', { key, file }),
    putParts: (key, file) => call('put_parts', { key, file }),
    get: (key, file) => call('get', { key, file }),
    getBytes2To5: (key, file) => call('get', { key, file, range: 'bytes=2-5' }),
    list: async (prefix) => (await call('list', { prefix })) as readonly string[],
    delete: (key) => call('delete', { key }),
    presign: async (key) => String(await call('presign', { key })),
  };
}
