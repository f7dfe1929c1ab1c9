import type { S3Request } from './operation.ts';

/** The largest document an operation takes, in bytes. */
export function maxDocumentBytes({ operation }: S3Request): number {
  return operation.document?.maxBytes ?? 0;
}

/**
 * Adds the body of a document operation, read whole and verified, and everything it says that matters to the decision.
 * @throws what the operation's own reader throws: `MalformedXML`, `InvalidArgument`, `NotImplemented`, …
 */
export function withDocument(request: S3Request, body: Buffer, partition: string): S3Request {
  const facts = request.operation.document?.read?.(request, body, partition);
  if (facts === undefined) return { ...request, document: body };
  const { batch, rewritten, conditionKeys = [], permissions = [] } = facts;
  if (batch !== undefined) return { ...request, document: body, permissions: [], batch };
  const understood = {
    ...request,
    document: rewritten ?? body,
    permissions: [...request.permissions, ...permissions],
    conditionKeys: [...request.conditionKeys, ...conditionKeys],
  };
  return rewritten === undefined ? understood : { ...understood, isDocumentRewritten: true };
}
