import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ServiceError } from '../../src/core/service-error.ts';
import { maxDocumentBytes, withDocument } from '../../src/s3/document.ts';
import type { S3Request } from '../../src/s3/operation.ts';
import { operations } from '../../src/s3/operations/index.ts';
import { route } from '../../src/s3/route.ts';
import { allFeatures } from '../s3/vectors.ts';
import { toRawRequest } from '../support/raw-requests.ts';

const settings = {
  virtualHosts: ['s3.example.internal'],
  accountId: '123456789012',
  partition: 'aws',
  supports: allFeatures,
};

const parameterNames = [
  ...new Set(
    operations.flatMap(({ selectors, parameters }) => [
      ...selectors.map((selector) => selector.split('=')[0] ?? ''),
      ...parameters,
    ]),
  ),
];
const headerNames = [...new Set(operations.flatMap(({ headers }) => [...headers]))];

const method = fc.constantFrom('GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'OPTIONS', 'PATCH');
const piece = fc.oneof(
  fc.constantFrom(
    'bucket',
    'key',
    '..',
    '.',
    '',
    'a%2Fb',
    '%2e%2e',
    'minio',
    '.sgwtmp',
    'xl.meta',
    'k__XLDIR__',
  ),
  fc.string(),
);
const path = fc
  .array(piece, { maxLength: 4 })
  .map((pieces) => `/${pieces.map((text) => text.replaceAll(/[?#\s]/g, '-')).join('/')}`);
const parameter = fc
  .tuple(
    fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom(...parameterNames) },
      { weight: 1, arbitrary: fc.string() },
    ),
    fc.constantFrom('', '', '1', '2', 'v', 'a/b'),
  )
  .map(([name, value]) => `${encodeURIComponent(name.toWellFormed())}${value === '' ? '' : `=${value}`}`);
const header = fc.tuple(
  fc.constantFrom(...headerNames, 'if-match', 'x-amz-meta-a', 'host'),
  fc.constantFrom('1', 'true', 'ON', '/other/key', 'a=b', '*', 'private'),
);
const wire = fc
  .record({
    method,
    path,
    query: fc.array(parameter, { maxLength: 4 }),
    headers: fc.array(header, { maxLength: 3 }),
  })
  .map(({ query, ...rest }) => ({
    ...rest,
    target: query.length === 0 ? rest.path : `${rest.path}?${query.join('&')}`,
  }));

const ofStores = /(?:(?:^|[\\/])(?:\.(?:sgwtmp|uploads|minio\.sys)|xl\.meta)|__xldir__)(?:[\\/]|$)/i;

function classify(request: {
  method: string;
  target: string;
  headers: (readonly [string, string])[];
}): S3Request | undefined {
  const raw = toRawRequest(request);
  if (raw === undefined) return undefined;
  try {
    return route(raw, settings);
  } catch (error) {
    expect(error).toBeInstanceOf(ServiceError);
    return undefined;
  }
}

describe('any request', () => {
  it('is refused with an error of S3, or is one operation with all that it says', () => {
    fc.assert(
      fc.property(wire, (request) => {
        const taken = classify(request);
        if (taken === undefined || taken.operation.isPreflight === true) return;
        const { operation, parameters, bucket, key, permissions } = taken;
        const known = [
          ...operation.parameters,
          ...operation.selectors.map((selector) => selector.split('=')[0]),
        ];
        for (const name of parameters.keys()) expect(known).toContain(name);
        expect(operation.method).toBe(request.method);
        expect(permissions.length).toBeGreaterThan(0);
        const names = [key, parameters.get('prefix') ?? '', taken.copySource?.key ?? ''];
        expect(names.filter((name) => ofStores.test(name))).toEqual([]);
        const own = { service: '*', bucket, object: `${bucket}/${key}` }[operation.scope];
        expect(permissions[0]?.resource).toBe(`arn:aws:s3:::${own}`);
      }),
      { numRuns: 3000 },
    );
  });

  it('means the same whatever the order of its parameters', () => {
    fc.assert(
      fc.property(wire, (request) => {
        const [place = '', query = ''] = request.target.split('?');
        const turned = classify({ ...request, target: `${place}?${query.split('&').reverse().join('&')}` });
        const taken = classify(request);
        expect(turned?.operation).toBe(taken?.operation);
        expect(turned?.permissions).toEqual(taken?.permissions);
        expect(new Map(turned?.conditionKeys)).toEqual(new Map(taken?.conditionKeys));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('any document', () => {
  const documents = operations.filter(({ document }) => document?.read !== undefined);
  const name = fc.constantFrom(
    'Delete',
    'Object',
    'Key',
    'VersionId',
    'Tagging',
    'TagSet',
    'Tag',
    'Value',
    'Rule',
    'Destination',
    'Bucket',
    'Status',
    'Role',
    'LoggingEnabled',
    'TargetBucket',
    'Topic',
    '__proto__',
    'x',
  );
  const { element } = fc.letrec<{ element: string }>((tie) => ({
    element: fc
      .tuple(
        name,
        fc.oneof(
          { maxDepth: 3 },
          fc.constantFrom('', 'reports', 'arn:aws:s3:::reports', 'Enabled', '&lt;', '&#x1F600;'),
          fc.array(tie('element'), { maxLength: 3 }).map((inside) => inside.join('')),
        ),
      )
      .map(([tag, inside]) => `<${tag}>${inside}</${tag}>`),
  }));
  const roots = [
    'Delete',
    'Tagging',
    'CreateBucketConfiguration',
    'BucketLoggingStatus',
    'ReplicationConfiguration',
    'NotificationConfiguration',
    'InventoryConfiguration',
    'Retention',
    'LegalHold',
    'RestoreRequest',
    'VersioningConfiguration',
  ];
  const document = fc.oneof(
    fc.string(),
    fc
      .tuple(fc.constantFrom(...roots), fc.array(element, { maxLength: 4 }))
      .map(([root, inside]) => `<${root}>${inside.join('')}</${root}>`),
  );

  it('is refused with an error of S3, or is passed on as it was parsed', () => {
    fc.assert(
      fc.property(fc.constantFrom(...documents), document, (operation, text) => {
        const query = operation.selectors.map((selector) => selector.replace('=*', '=1')).join('&');
        const place = operation.scope === 'bucket' ? '/bucket' : '/bucket/key';
        const request = classify({ method: operation.method, target: `${place}?${query}`, headers: [] });
        if (request === undefined) throw new Error('not classified');
        const body = Buffer.from(text.toWellFormed());
        expect(body.length).toBeLessThanOrEqual(maxDocumentBytes(request));
        let first: S3Request;
        try {
          first = withDocument(request, body, 'aws');
        } catch (error) {
          expect(error).toBeInstanceOf(ServiceError);
          return;
        }
        const { batch } = first;
        const written = batch?.writeBody(batch.items.map((_, index) => index)) ?? first.document;
        const second = withDocument(request, written ?? Buffer.alloc(0), 'aws');
        expect(second.permissions).toEqual(first.permissions);
        expect(second.conditionKeys).toEqual(first.conditionKeys);
        expect(second.batch?.items).toEqual(first.batch?.items);
      }),
      { numRuns: 3000 },
    );
  });
});
