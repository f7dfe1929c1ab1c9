import type { S3Operation } from '../operation.ts';

/** Operations on the whole store. */
export const serviceOperations: readonly S3Operation[] = [
  {
    name: 'ListBuckets',
    method: 'GET',
    scope: 'service',
    selectors: [],
    parameters: ['max-buckets', 'continuation-token', 'prefix', 'bucket-region'],
    headers: [],
    body: 'none',
    action: 's3:ListAllMyBuckets',
    listsBuckets: true,
  },
];
