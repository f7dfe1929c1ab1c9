import type { RawRequest } from '../core/raw-request.ts';
import { route } from '../s3/route.ts';
import type { S3Pipeline } from './perform-s3.ts';
import type { RequestTrace } from './request-trace.ts';

/** Notes for the audit record what a request asks for whose credentials were refused before that was read. */
export function noteRequest(raw: RawRequest, { routing }: S3Pipeline, { audit }: RequestTrace): void {
  if (audit === undefined || audit.isAsked) return;
  try {
    audit.asks(route(raw, routing));
  } catch {
    // It asks for nothing that there is, and is recorded as such.
  }
}
