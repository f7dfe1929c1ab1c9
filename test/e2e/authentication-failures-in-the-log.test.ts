import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WireRequest } from '../support/raw-requests.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { signWithSmithy } from '../support/smithy-signer.ts';
import { exchange, toBytes } from '../support/wire.ts';

let sidecar: TestSidecar;
let host: string;

beforeAll(async () => {
  sidecar = await startSidecar();
  host = new URL(sidecar.url).host;
});
afterAll(() => sidecar.stop());

const send = (wire: WireRequest, body = ''): Promise<string> => exchange(sidecar.url, toBytes(wire, body));

describe('the log says why a caller could not be authenticated', () => {
  const lastLine = (): unknown => JSON.parse(sidecar.logged.at(-1) ?? '{}');

  it('of an S3 request', async () => {
    await send({ method: 'GET', target: '/data/key', headers: [['host', host]] });
    await expect.poll(lastLine).toMatchObject({ error_code: 'AccessDenied', error_detail: 'no_credentials' });
    const signed = await signWithSmithy(
      { method: 'PUT', path: '/data/key', query: {}, headers: { host } },
      alice,
      { nowMs: Date.now() },
    );
    await send({ ...signed, headers: [...signed.headers, ['x-amz-acl', 'public-read']] });
    await expect
      .poll(lastLine)
      .toMatchObject({ error_code: 'AccessDenied', error_detail: 'headers_not_signed' });
  });

  it('of an STS request', async () => {
    const body = 'Action=GetCallerIdentity&Version=2011-06-15';
    const wire = await signWithSmithy(
      {
        method: 'POST',
        path: '/',
        query: {},
        headers: {
          host,
          'content-type': 'application/x-www-form-urlencoded',
          'content-length': String(body.length),
        },
      },
      { ...alice, secretAccessKey: 'another-secret' },
      { service: 'sts', nowMs: Date.now() },
    );
    await send(wire, body);
    await expect.poll(lastLine).toMatchObject({ error_detail: 'signature_mismatch' });
  });
});
