import { afterAll, beforeAll, expect, it } from 'vitest';
import { signedHead } from '../support/hostile/signed.ts';
import { openDirectory } from '../support/open-directory.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { exchange, summary } from '../support/wire.ts';

let sidecar: TestSidecar;
beforeAll(async () => {
  sidecar = await startSidecar({ directory: openDirectory });
});
afterAll(() => sidecar.stop());

const last = 'Connection: close\r\n';
// Escaped it has six characters.
const quote = '"';

it('a refusal does not repeat a path that is longer than any key', async () => {
  const answer = await exchange(
    sidecar.url,
    `GET /data/${quote.repeat(31_000)} HTTP/1.1\r\nHost: a\r\n${last}\r\n`,
  );
  expect(summary(answer)).toBe('403 AccessDenied');
  expect(answer.length).toBeLessThan(25_000);
});

it('a refusal names the longest key', async () => {
  const key = '%C3%A9'.repeat(512);
  const answer = await exchange(sidecar.url, `GET /data/${key} HTTP/1.1\r\nHost: a\r\n${last}\r\n`);
  expect(answer).toContain(`<Resource>/data/${key}</Resource>`);
});

it('a refusal does not repeat the whole of a canonical request that is longer than any at AWS', async () => {
  const forger = { ...alice, secretAccessKey: 'guessed' };
  const request = { method: 'GET', path: '/data/k', headers: { 'x-amz-meta-a': quote.repeat(28_000) } };
  const answer = await exchange(sidecar.url, await signedHead(sidecar.url, forger, request, last));
  expect(summary(answer)).toBe('403 SignatureDoesNotMatch');
  expect(answer).toContain('<CanonicalRequest>GET\n/data/k\n');
  expect(answer.length).toBeLessThan(60_000);
});
