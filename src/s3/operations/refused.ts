import type { OperationScope, S3Operation } from '../operation.ts';

type Row = readonly [
  name: string,
  method: string,
  scope: OperationScope,
  selectors: readonly string[],
  selectingHeader?: string,
];

/**
 * Operations AWS knows and this endpoint never forwards: those on AWS's own table, directory-bucket and Object Lambda
 * services. CreateSession would hand out credentials of the store. They are named here so that their selectors are
 * never ignored. PostObject is a form, whose fields are in its body: it is taken for the PutObject that it stands for before it would be
 * routed.
 */
const rows: readonly Row[] = [
  ['CreateBucketMetadataConfiguration', 'POST', 'bucket', ['metadataConfiguration']],
  ['CreateBucketMetadataTableConfiguration', 'POST', 'bucket', ['metadataTable']],
  ['CreateSession', 'GET', 'bucket', ['session']],
  ['DeleteBucketMetadataConfiguration', 'DELETE', 'bucket', ['metadataConfiguration']],
  ['DeleteBucketMetadataTableConfiguration', 'DELETE', 'bucket', ['metadataTable']],
  ['GetBucketMetadataConfiguration', 'GET', 'bucket', ['metadataConfiguration']],
  ['GetBucketMetadataTableConfiguration', 'GET', 'bucket', ['metadataTable']],
  ['ListDirectoryBuckets', 'GET', 'service', ['max-directory-buckets=*']],
  ['PostObject', 'POST', 'bucket', []],
  ['RenameObject', 'PUT', 'object', ['renameObject'], 'x-amz-rename-source'],
  ['UpdateBucketMetadataAnnotationTableConfiguration', 'PUT', 'bucket', ['metadataAnnotationTable']],
  ['UpdateBucketMetadataInventoryTableConfiguration', 'PUT', 'bucket', ['metadataInventoryTable']],
  ['UpdateBucketMetadataJournalTableConfiguration', 'PUT', 'bucket', ['metadataJournalTable']],
  // In path style its path names a bucket.
  ['WriteGetObjectResponse', 'POST', 'bucket', [], 'x-amz-request-route'],
];

/** Their parameters, so that the refusal is about the operation and not about a parameter. */
const parameters: readonly string[] = ['continuation-token'];

/** The rows as operations without an action: they are recognised and refused. */
export const refusedOperations: readonly S3Operation[] = rows.map(
  ([name, method, scope, selectors, selectingHeader]) => ({
    name,
    method,
    scope,
    selectors,
    parameters: name === 'ListDirectoryBuckets' ? parameters : [],
    headers: [],
    body: 'none',
    action: undefined,
    ...(selectingHeader === undefined ? {} : { selectingHeader }),
  }),
);
