import type { ServiceError } from '../core/service-error.ts';
import { writeXml } from '../core/xml.ts';

/** Renders an error as S3 does: `<Error>` without a namespace. */
export function renderS3Error(error: ServiceError, resource: string, requestId: string): string {
  return writeXml('Error', {
    Code: error.code,
    Message: error.message,
    Resource: resource,
    ...error.fields,
    RequestId: requestId,
    HostId: requestId,
  });
}
