import type { OperationScope, S3Operation } from './operation.ts';
import { operations } from './operations/index.ts';

/** An action that some request needs. */
export interface KnownS3Action {
  /** AWS's spelling, `s3:GetObject`; a few are of the services that a store delivers to, such as `sns:Publish`. */
  readonly name: string;
  /** What its resources are; `undefined` where only documents name them. */
  readonly scopes: ReadonlySet<OperationScope> | undefined;
}

/** Every action that the operation table can ask policies about. */
export function listS3Actions(): readonly KnownS3Action[] {
  const scopes = new Map<string, Set<OperationScope>>();
  const ofDocuments = new Set<string>();
  for (const operation of operations) {
    for (const action of ownActions(operation)) {
      scopes.set(action, (scopes.get(action) ?? new Set()).add(operation.scope));
    }
    for (const action of operation.document?.actions ?? []) ofDocuments.add(action);
  }
  // Each key of a batch is decided alone, though the request names the bucket.
  scopes.get('s3:DeleteObject')?.delete('bucket');
  return [...new Set([...scopes.keys(), ...ofDocuments])].map((name) => ({
    name,
    scopes: scopes.get(name),
  }));
}

/** The actions of the row, and all that its headers can require. */
function ownActions({ action, versionAction, headers, conditionalActions }: S3Operation): readonly string[] {
  const everyHeader = new Map([...headers, 'if-match'].map((name) => [name, 'any']));
  const further = [true, false].flatMap(
    (isVersioned) => conditionalActions?.(everyHeader, isVersioned) ?? [],
  );
  return [action, versionAction, ...further].filter((name) => name !== undefined);
}
