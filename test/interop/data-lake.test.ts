import { randomBytes } from 'node:crypto';
import type { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { Secret } from '../../src/core/secret.ts';
import { createKeyRing } from '../../src/tokens/key-ring.ts';
import { SessionOpener } from '../../src/tokens/open.ts';
import { sealSession } from '../../src/tokens/seal.ts';
import { assume, outcome, type SdkCredentials, s3Client } from '../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { Lake } from './data-lake/lake.ts';
import { type LakeOperation, lakeOperations, type Scene } from './data-lake/operations.ts';
import { type PrincipalName, principals, readLakePage } from './data-lake/page.ts';
import { storeKinds } from './stores/index.ts';
import type { RealStore } from './stores/real-store.ts';

const page = await readLakePage();
const tokenKey = randomBytes(32).toString('base64');

/** The same session, as if its caller had proved a second factor when it began. */
async function withSecondFactor(session: Required<SdkCredentials>): Promise<Required<SdkCredentials>> {
  const ring = createKeyRing([{ id: 'k1', secret: new Secret(tokenKey) }], 'k1');
  const opened = await new SessionOpener(ring).open(session.sessionToken);
  if (opened === undefined) throw new Error('the session was sealed with another key');
  const mfaAuthenticatedAt = Math.floor(systemClock.now() / 1000);
  return { ...session, sessionToken: sealSession({ ...opened.claims, mfaAuthenticatedAt }, ring) };
}

/** The outcome of a cell: its mark, or the code and status of an answer that is neither a success nor a refusal. */
async function markOf(operation: LakeOperation, scene: Scene): Promise<string> {
  const call = operation.run(scene);
  const ended = await outcome(call);
  // An answer to HEAD has no body to read a code from.
  if (ended === 'AccessDenied 403' || (operation.hasNoBody && ended === 'Unknown 403')) return '✗';
  if (ended !== 'allowed') return ended;
  const success = await call;
  return success === undefined ? '✓' : success === 'partly' ? '◐' : '✗';
}

it('the page says for every operation what each of the four callers may do', () => {
  expect([...new Set(page.cells.map(({ operation }) => operation))]).toEqual([...lakeOperations.keys()]);
  expect(page.cells).toHaveLength(lakeOperations.size * principals.length);
  expect(lakeOperations.size).toBeGreaterThanOrEqual(40);
});

describe.each(storeKinds)('the data lake of the page on $name', ({ product, trailers, start }) => {
  let store: RealStore;
  let sidecar: TestSidecar;
  let lake: Lake;
  let atStore: S3Client;
  const sessions = new Map<PrincipalName, Required<SdkCredentials>>();

  beforeAll(async () => {
    store = await start();
    sidecar = await startSidecar({ backend: store, trailers, directory: page.directory, tokenKey });
    atStore = s3Client(store.endpoint, store, { config: { requestChecksumCalculation: 'WHEN_REQUIRED' } });
    lake = new Lake(atStore);
    await lake.create();
    for (const role of ['analyst', 'engineer', 'auditor'] as const)
      sessions.set(role, await assume(sidecar.url, alice, role));
    sessions.set('engineer with MFA', await withSecondFactor(await assume(sidecar.url, alice, 'engineer')));
  });
  afterAll(async () => {
    await sidecar?.stop();
    await store?.stop();
  });

  it.each(page.cells)('$principal: $operation $expected', async ({ operation, principal, expected }) => {
    const known = lakeOperations.get(operation);
    const credentials = sessions.get(principal);
    if (known === undefined || credentials === undefined) throw new Error('the page names an unknown user');
    await lake.restore();
    if (known.needsUpload) await lake.startUpload();
    const before = await lake.snapshot();
    const scene = { s3: s3Client(sidecar.url, credentials), url: sidecar.url, credentials, lake };
    const around = { s3: atStore, url: store.endpoint, credentials: store, lake };
    const mark = await markOf(known, scene);
    const answer = page.storeAnswers.get(`${operation} on ${product}`);
    expect(mark).toBe(expected === '✗' ? '✗' : (answer ?? expected));
    if (answer !== undefined) expect(await markOf(known, around)).toBe(answer);
    const isDone = known.changes && expected !== '✗' && answer === undefined;
    expect((await lake.snapshot()) !== before).toBe(isDone);
  });
});
