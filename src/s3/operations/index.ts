/*
 * This folder is the table of S3 operations. A row says how to recognise the operation, what it accepts and which
 * permissions it needs.
 * In: a method and a scope, or the document of a request. Out: the rows that can be meant, or what the document asks for.
 * An operation without a row does not exist for the sidecar: the request is refused and never reaches the store.
 * Rows never talk to the store and never decide access.
 */

import { valueRules } from '../header-values.ts';
import type { OperationScope, S3Operation } from '../operation.ts';
import { aclOperations } from './acl.ts';
import { annotationOperations } from './annotation.ts';
import { bucketOperations } from './bucket.ts';
import { bucketConfigOperations } from './bucket-config.ts';
import { deleteObjectsOperation } from './delete-objects.ts';
import { deliveryOperations } from './deliveries.ts';
import { multipartOperations } from './multipart.ts';
import { objectOperations } from './object.ts';
import { objectConfigOperations } from './object-config.ts';
import { preflightOperations } from './preflight.ts';
import { refusedOperations } from './refused.ts';
import { serviceOperations } from './service.ts';
import { taggingOperations } from './tagging.ts';

export { headerOfTagging } from './tagging.ts';

/** Every operation there is; one that is not here does not exist for the sidecar. */
export const operations: readonly S3Operation[] = [
  ...serviceOperations,
  ...bucketOperations,
  ...bucketConfigOperations,
  ...deliveryOperations,
  deleteObjectsOperation,
  ...objectOperations,
  ...multipartOperations,
  ...taggingOperations,
  ...aclOperations,
  ...objectConfigOperations,
  ...annotationOperations,
  ...preflightOperations,
  ...refusedOperations,
];

/** Names of all query parameters that select some operation. */
export const knownSelectors: ReadonlySet<string> = new Set(
  operations.flatMap(({ selectors }) => selectors.map((selector) => selector.split('=')[0] ?? selector)),
);

/** An operation with its parameters taken apart, as every request needs them. */
export interface OperationRow {
  readonly operation: S3Operation;
  /** What must be there for the operation to be meant; `undefined` stands for any value. */
  readonly selectors: readonly (readonly [name: string, value: string | undefined])[];
  /** Every parameter it understands. */
  readonly accepted: ReadonlySet<string>;
  /** Those of them that take no value. */
  readonly valueless: ReadonlySet<string>;
  /** The `x-amz-*` headers of its own. */
  readonly headers: ReadonlySet<string>;
  /** Those of them whose value is checked. */
  readonly ruledHeaders: readonly string[];
}

function takeApart(operation: S3Operation): OperationRow {
  const pairs = operation.selectors.map((selector): [string, string | undefined] => {
    const [name = '', wanted] = selector.split('=');
    return [name, wanted];
  });
  return {
    operation,
    selectors: pairs.map(([name, wanted]) => [name, wanted === '*' ? undefined : wanted]),
    accepted: new Set([...operation.parameters, ...pairs.map(([name]) => name)]),
    valueless: new Set(pairs.filter(([, wanted]) => wanted === undefined).map(([name]) => name)),
    headers: new Set(operation.headers),
    ruledHeaders: operation.headers.filter((name) => valueRules.has(name)),
  };
}

const byMethodAndScope = new Map<string, OperationRow[]>();
for (const operation of operations) {
  const place = `${operation.method} ${operation.scope}`;
  byMethodAndScope.set(place, [...(byMethodAndScope.get(place) ?? []), takeApart(operation)]);
}
for (const rows of byMethodAndScope.values())
  rows.sort((left, right) => specificity(right.operation) - specificity(left.operation));

function specificity({ selectors, selectingHeader }: S3Operation): number {
  return selectors.length * 2 + (selectingHeader === undefined ? 0 : 1);
}

/** The operations a method can mean in a scope, the most specific first. */
export function operationsFor(method: string, scope: OperationScope): readonly OperationRow[] {
  return byMethodAndScope.get(`${method} ${scope}`) ?? [];
}
