import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ServiceError } from '../../src/core/service-error.ts';
import { withDocument } from '../../src/s3/document.ts';
import type { S3Request } from '../../src/s3/operation.ts';
import { operations } from '../../src/s3/operations/index.ts';
import {
  contextOf,
  namesOf,
  operationVectors,
  routed,
  vectorSettings,
  type WrittenRequest,
} from './vectors.ts';

const values: ReadonlyMap<string, string> = new Map([
  ['annotationName', 'other'],
  ['id', 'other'],
  ['list-type', '2'],
  ['max-directory-buckets', '7'],
  ['partNumber', '7'],
  ['select-type', '2'],
  ['uploadId', 'other'],
]);

/** Something that belongs to some operations: a query parameter, or a header that selects. */
interface Stranger {
  readonly kind: 'parameter' | 'header';
  readonly name: string;
  readonly value: string;
}

const parameterNames = new Set(
  operations.flatMap(({ selectors, parameters }) => [
    ...selectors.map((selector) => selector.split('=')[0] ?? selector),
    ...parameters,
  ]),
);
// What the vectors send belongs to the operations too, whatever the table says.
for (const { routes } of operationVectors) {
  for (const { request } of routes) {
    const query = request.split('?')[1] ?? '';
    for (const name of new URLSearchParams(query).keys()) parameterNames.add(name);
  }
}
parameterNames.delete('x-id');

function parameterValue(name: string): string {
  const isSubresource = operations.some(({ selectors }) => selectors.includes(name));
  if (isSubresource) return '';
  return values.get(name) ?? (/^max-|^part-/.test(name) ? '7' : 'other');
}

// They select, as parameters do.
const headerStrangers: readonly string[] = [
  'x-amz-copy-source',
  'x-amz-rename-source',
  'x-amz-request-route',
];

const strangers: readonly Stranger[] = [
  ...[...parameterNames]
    .sort()
    .map((name) => ({ kind: 'parameter', name, value: parameterValue(name) }) as const),
  ...headerStrangers.map((name) => ({ kind: 'header', name, value: '/sources/in/a.csv' }) as const),
];

const canonical: ReadonlyMap<string, WrittenRequest> = new Map(
  operationVectors.flatMap(({ name, routes: [first] }) =>
    first === undefined ? [] : [[name, first] as const],
  ),
);

// The two rows of a preflight are one operation.
const rowsOf = (name: string) => operations.filter((operation) => operation.name === name);

/** True for what an operation, as it was asked, says or may say itself. */
function isOwn(name: string, { kind, name: stranger }: Stranger): boolean {
  return rowsOf(name).some(({ selectors, parameters, headers, selectingHeader }) =>
    kind === 'header'
      ? headers.includes(stranger) || selectingHeader === stranger
      : parameters.includes(stranger) || selectors.some((selector) => selector.split('=')[0] === stranger),
  );
}

function withStranger(written: WrittenRequest, { kind, name, value }: Stranger): WrittenRequest {
  if (kind === 'header') return { ...written, headers: { ...written.headers, [name]: value } };
  const mark = written.request.includes('?') ? '&' : '?';
  return { ...written, request: `${written.request}${mark}${name}${value === '' ? '' : `=${value}`}` };
}

interface Outcome {
  readonly status: number;
  readonly request: S3Request | undefined;
}

function outcomeOf(written: WrittenRequest): Outcome {
  try {
    return { status: 200, request: routed(written) };
  } catch (error) {
    if (error instanceof ServiceError) return { status: error.status, request: undefined };
    throw error;
  }
}

/** Method, path, and the names of the parameters and headers by which a request is recognised. */
function shapeOf({ request, headers = {} }: WrittenRequest): string {
  const [target = '', query = ''] = request.split('?');
  const selecting = Object.keys(headers).filter((name) => headerStrangers.includes(name));
  return [target, ...[...new URLSearchParams(query).keys()].sort(), ...selecting].join(' ');
}

const byShape = new Map([...canonical].map(([name, written]) => [shapeOf(written), name]));

function needed(request: S3Request): unknown {
  return { permissions: namesOf(request.permissions), context: contextOf(request.conditionKeys) };
}

/** What is wrong with the reading of a request with a stranger; `undefined` when nothing is. */
function faultOf(name: string, stranger: Stranger): string | undefined {
  const written = withStranger(canonical.get(name) ?? { request: '' }, stranger);
  const { status, request } = outcomeOf(written);
  const label = `${name} with ${stranger.name}`;
  const meant = byShape.get(shapeOf(written));
  if (request === undefined) {
    return status === 400 || status === 501 ? undefined : `${label} is refused with ${status}`;
  }
  const { operation, parameters } = request;
  if (operation.isPreflight === true) {
    // It reads three headers and nothing else.
    return stranger.kind === 'header' && !request.headers.has(stranger.name)
      ? undefined
      : `${label} is accepted`;
  }
  if (operation.name !== meant) return `${label} is taken for ${operation.name}`;
  const sent = [...new URLSearchParams(written.request.split('?')[1] ?? '')];
  if (JSON.stringify([...parameters]) !== JSON.stringify(sent)) return `${label} forwards other parameters`;
  const [plain] = operationVectors.find((vectors) => vectors.name === meant)?.authorizations ?? [];
  if (plain === undefined) return `${label} has no vector`;
  const taken = withDocument(request, Buffer.from(plain.body ?? ''), vectorSettings.partition);
  if (plain.items !== undefined) return taken.batch === undefined ? `${label} is not a batch` : undefined;
  const { permissions, context } = plain;
  return isDeepStrictEqual(needed(taken), { permissions, context })
    ? undefined
    : `${label} needs something else`;
}

const casesOf = (name: string): Stranger[] => strangers.filter((stranger) => !isOwn(name, stranger));

describe('a request with something of another operation', () => {
  it('is tried in at least 4,900 ways', () => {
    const counts = [...canonical.keys()].map((name) => casesOf(name).length);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(4900);
    expect(Math.min(...counts)).toBeGreaterThan(40);
  });

  it.each([...canonical.keys()])('%s is refused, or is the other operation altogether', (name) => {
    const faults = casesOf(name).map((stranger) => faultOf(name, stranger));
    expect(faults.filter((fault) => fault !== undefined)).toEqual([]);
  });

  it('becomes another operation only where it asks for exactly that', () => {
    const taken = [...canonical].flatMap(([name, written]) =>
      casesOf(name).filter(
        (stranger) => outcomeOf(withStranger(written, stranger)).request?.operation.name !== undefined,
      ),
    );
    // A bucket or an object with one subresource, a list with the number of one of its items, and copies; preflights
    // disregard the three headers in both of their scopes.
    expect(taken).toHaveLength(77);
  });
});
