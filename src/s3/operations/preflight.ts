import type { OperationScope, S3Operation } from '../operation.ts';

const scopes: readonly OperationScope[] = ['bucket', 'object'];

/** The CORS preflight, which a browser sends before a cross-origin request. */
export const preflightOperations: readonly S3Operation[] = scopes.map((scope) => ({
  name: 'CorsPreflight',
  method: 'OPTIONS',
  scope,
  selectors: [],
  parameters: [],
  headers: [],
  body: 'none',
  action: undefined,
  isPreflight: true,
}));
