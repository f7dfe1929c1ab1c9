import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { describe, expect, it } from 'vitest';
import type { RawRequest } from '../../src/core/raw-request.ts';
import { testNowMs, toRawRequest } from '../support/raw-requests.ts';
import { buildWorld, dependenciesOf, keyOf, type Outcome, serve, version } from './support/sts-fixture.ts';

const dependencies = dependenciesOf(buildWorld({ users: { alice: {} } }));

/** A GetCallerIdentity URL of alice, signed at the usual time, as it arrives so much later. */
async function arrive(
  laterMs: number,
  expiresIn: number,
  change = (target: string) => target,
): Promise<RawRequest> {
  const signer = new SignatureV4({
    service: 'sts',
    region: 'us-east-1',
    credentials: keyOf('alice'),
    sha256: Sha256,
    applyChecksum: false,
  });
  const { query = {} } = await signer.presign(
    {
      method: 'GET',
      protocol: 'https:',
      hostname: 'localhost',
      path: '/',
      query: { Action: 'GetCallerIdentity', Version: version },
      headers: { host: 'localhost' },
    },
    { expiresIn, signingDate: new Date(testNowMs) },
  );
  const search = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
  const raw = toRawRequest(
    { method: 'GET', target: change(`/?${search.join('&')}`), headers: [['host', 'localhost']] },
    testNowMs + laterMs,
  );
  if (raw === undefined) throw new Error('the edge would not read this request');
  return raw;
}

const call = async (laterMs: number, expiresIn: number): Promise<Outcome> =>
  serve({ raw: await arrive(laterMs, expiresIn), body: new Uint8Array() }, dependencies);

const minuteMs = 60_000;

describe('a presigned URL of STS', () => {
  it.each([
    [1, 0],
    [1, 15 * minuteMs],
    // As aws-iam-authenticator and EKS clients write it.
    [60, 14 * minuteMs],
    [60, 15 * minuteMs],
    [900, 15 * minuteMs],
    [604_800, 15 * minuteMs],
    [60, -15 * minuteMs],
  ])('that lasts %d seconds is valid after %d ms', async (expiresIn, laterMs) => {
    expect((await call(laterMs, expiresIn)).code).toBe('');
  });

  it.each([
    [60, 15 * minuteMs + 1],
    [900, 16 * minuteMs],
    [604_800, 15 * minuteMs + 1],
    [604_800, 6 * 24 * 60 * minuteMs],
  ])('that lasts %d seconds has expired after %d ms', async (expiresIn, laterMs) => {
    const { code, response, message } = await call(laterMs, expiresIn);
    expect([code, response.status]).toEqual(['SignatureDoesNotMatch', 403]);
    expect(message).toMatch(
      /^Signature expired: 20261122T120000Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 15 min\.\)$/,
    );
  });

  it('signed in the future is refused', async () => {
    const { code, message } = await call(-15 * minuteMs - 1, 604_800);
    expect(code).toBe('SignatureDoesNotMatch');
    expect(message).toMatch(/^Signature not yet current: .* \+ 15 min\.\)$/);
  });

  it('does not live longer with another lifetime in its query', async () => {
    const raw = await arrive(minuteMs, 60, (target) =>
      target.replace('X-Amz-Expires=60', 'X-Amz-Expires=900'),
    );
    expect((await serve({ raw, body: new Uint8Array() }, dependencies)).code).toBe('SignatureDoesNotMatch');
  });
});
