import { describe, expect, it } from 'vitest';
import { ServiceError } from '../../src/core/service-error.ts';
import type { StoreFeature } from '../../src/core/store-feature.ts';
import type { S3Request } from '../../src/s3/operation.ts';
import { route } from '../../src/s3/route.ts';
import { toRawRequest } from '../support/raw-requests.ts';
import { allFeatures } from './vectors.ts';

const settings = { virtualHosts: [], accountId: '123456789012', partition: 'aws' };

describe('an operation that few stores have', () => {
  const annotation = 'GET /bucket/key?annotation&annotationName=a';

  it.each([
    [annotation, 'annotations'],
    ['PUT /bucket/key?annotation&annotationName=a', 'annotations'],
    ['DELETE /bucket/key?annotation&annotationName=a', 'annotations'],
    ['GET /bucket/key?annotation', 'annotations'],
    ['PUT /bucket/key?encryption', 'objectEncryption'],
  ] as const)('is sent only to a store that is configured to have it: %s', (line, feature) => {
    const [method = '', target = ''] = line.split(' ');
    const raw = toRawRequest({ method, target, headers: [['host', 'localhost']] });
    if (raw === undefined) throw new Error('unreadable');
    const supporting = (features: readonly StoreFeature[]): S3Request =>
      route(raw, { ...settings, supports: new Set(features) });
    expect(() => supporting([])).toThrow('is not supported by this endpoint');
    const others = [...allFeatures].filter((one) => one !== feature);
    expect(() => supporting(others)).toThrow(ServiceError);
    expect(supporting([feature]).operation.unlessKnown).toBe(feature);
  });
});
