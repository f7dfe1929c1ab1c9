import type { OperationScope, S3Operation } from '../operation.ts';
import { bucketOperations } from './bucket.ts';
import { deleteObjectsOperation } from './delete-objects.ts';
import { multipartOperations } from './multipart.ts';
import { objectOperations } from './object.ts';
import { serviceOperations } from './service.ts';
import { taggingOperations } from './tagging.ts';
import { unsupportedOperations } from './unsupported.ts';

/** Every operation there is; one that is not here does not exist for the sidecar. */
export const operations: readonly S3Operation[] = [
  ...serviceOperations,
  ...bucketOperations,
  deleteObjectsOperation,
  ...objectOperations,
  ...multipartOperations,
  ...taggingOperations,
  ...unsupportedOperations,
];

/** Names of all query parameters that select some operation. */
export const knownSelectors: ReadonlySet<string> = new Set(
  operations.flatMap(({ selectors }) => selectors.map((selector) => selector.split('=')[0] ?? selector)),
);

const byMethodAndScope = new Map<string, S3Operation[]>();
for (const operation of operations) {
  const place = `${operation.method} ${operation.scope}`;
  byMethodAndScope.set(place, [...(byMethodAndScope.get(place) ?? []), operation]);
}
for (const rows of byMethodAndScope.values())
  rows.sort((left, right) => specificity(right) - specificity(left));

function specificity({ selectors, selectingHeader }: S3Operation): number {
  return selectors.length * 2 + (selectingHeader === undefined ? 0 : 1);
}

/** The operations a method can mean in a scope, the most specific first. */
export function operationsFor(method: string, scope: OperationScope): readonly S3Operation[] {
  return byMethodAndScope.get(`${method} ${scope}`) ?? [];
}
