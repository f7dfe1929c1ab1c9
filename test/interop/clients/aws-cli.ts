import { join } from 'node:path';
import { cachedFolder, requireComponent } from '../components.ts';
import { type Client, type ClientKind, run, type Workplace } from './client.ts';

/** The AWS CLI 2 of the distribution. */
export const debianCli: ClientKind = {
  name: 'the AWS CLI of Debian',
  lacks: [],
  open: (place) => open(place, requireComponent('aws'), []),
};

/** The AWS CLI 1, current. */
export const currentCli: ClientKind = {
  name: 'the current AWS CLI',
  lacks: [],
  open: (place) => open(place, join(cachedFolder('awscli'), 'bin', 'python'), ['-m', 'awscli']),
};

function open(place: Workplace, program: string, first: readonly string[]): Client {
  const { accessKeyId, secretAccessKey, sessionToken } = place.credentials;
  const environment = {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
    PYTHONWARNINGS: 'ignore',
    ...place.environment,
  };
  const aws = (...args: readonly string[]): Promise<string> => {
    // For us-east-1 the CLI 1 presigns with the retired signature version 2.
    const region = args[1] === 'presign' ? 'eu-central-1' : 'us-east-1';
    const common = ['--endpoint-url', place.endpoint, '--region', region, '--output', 'json'];
    return run(program, [...first, ...common, ...args], environment);
  };
  const object = (key: string): string[] => ['--bucket', place.bucket, '--key', key];
  const url = (key: string): string => `s3://${place.bucket}/${key}`;
  return {
    put: (key, file) => aws('s3api', 'put-object', ...object(key), '--body', file),
    putParts: (key, file) => aws('s3', 'cp', '--quiet', file, url(key)),
    get: (key, file) => aws('s3api', 'get-object', ...object(key), file),
    getBytes2To5: (key, file) => aws('s3api', 'get-object', ...object(key), '--range', 'bytes=2-5', file),
    list: async (prefix) => {
      const printed = await aws('s3api', 'list-objects-v2', '--bucket', place.bucket, '--prefix', prefix);
      const { Contents = [] } = JSON.parse(printed || '{}') as { Contents?: readonly { Key: string }[] };
      return Contents.map(({ Key }) => Key);
    },
    delete: (key) => aws('s3api', 'delete-object', ...object(key)),
    presign: async (key) => (await aws('s3', 'presign', url(key))).trim(),
  };
}
