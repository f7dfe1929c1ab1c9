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
 * Proof that a request is a CORS preflight. Browsers send it without credentials, so it needs no permission, and it must
 * never be forwarded with the credentials of the sidecar.
 */
export type Preflight = PreflightRequest;

/**
 * Wraps a preflight.
 * @throws for every other operation; those must be authorized.
 */
export function requirePreflight(request: S3Request): Preflight {
  if (request.operation.name !== 'CorsPreflight')
    throw new Error(`${request.operation.name} is no preflight`);
  return new PreflightRequest(request);
}
