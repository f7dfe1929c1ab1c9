import type { S3Request } from '../s3/operation.ts';

class PreflightRequest {
  // A private field makes the type nominal: no object literal and no other class can stand in for it.
  readonly #request: S3Request;

  constructor(request: S3Request) {
    this.#request = request;
  }

  get request(): S3Request {
    return this.#request;
  }
}

/**
 * Proof that a request is a CORS preflight and nothing else. Browsers send it without credentials, so it needs no
 * permission, and it must never be sent on with ours.
 */
export type Preflight = PreflightRequest;

/** Takes a preflight for one. Throws for every other operation, which somebody must have authorized. */
export function requirePreflight(request: S3Request): Preflight {
  if (request.operation.name !== 'CorsPreflight')
    throw new Error(`${request.operation.name} is no preflight`);
  return new PreflightRequest(request);
}
