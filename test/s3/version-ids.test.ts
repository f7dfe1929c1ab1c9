import { expect, it } from 'vitest';
import { type OperationVectors, operationVectors, refusalOf, routed } from './vectors.ts';

type Route = OperationVectors['routes'][number];

const routes: readonly Route[] = operationVectors.flatMap(({ routes: all }) =>
  all.filter(({ request, refusal }) => refusal === undefined && /[?&]versionId=/.test(request)),
);
const withVersion = (route: Route, id: string): Route => ({
  ...route,
  request: route.request.replace(/([?&]versionId=)[^&]*/, `$1${id}`),
});

it('operations on versions are among the vectors', () => {
  expect(routes.length).toBeGreaterThan(10);
});

// Ceph RGW would find the version `v` of the key `b_key`.
it.each(routes)('$request takes no version id that ends in the beginning of another key', (route) => {
  expect(refusalOf(() => routed(withVersion(route, 'v_b')))).toBe('InvalidArgument');
  expect(refusalOf(() => routed(withVersion(route, 'v%5Fb')))).toBe('InvalidArgument');
});

it.each(routes)('$request takes a version id of Backblaze B2', (route) => {
  expect(refusalOf(() => routed(withVersion(route, '4_z27c88f1d_f10_d20260209')))).toMatch(/^accepted/);
});
