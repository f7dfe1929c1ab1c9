import { expect, it } from 'vitest';
import { RequestTrace } from '../../src/edge/request-trace.ts';
import { requestAttributes, storeAttributes } from '../../src/tracing/attributes.ts';

it('codes and ids of the store are cut', () => {
  const trace = new RequestTrace('ID', 'GET', '192.0.2.1');
  const long = 'a'.repeat(10_000);
  trace.add({ service: 's3', status: 404, errorCode: long, upstreamRequestId: long });
  const record = trace.finish();
  expect(requestAttributes(record, 'full')['error.type']).toBe('a'.repeat(128));
  expect(storeAttributes(record)['aws.request_id']).toBe('a'.repeat(128));
});
