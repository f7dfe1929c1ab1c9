import { randomBytes } from 'node:crypto';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterEach, describe, expect, it } from 'vitest';
import { assume, outcome, type SdkCredentials, stsClient } from '../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';

const secrets = { OLD: randomBytes(32).toString('base64'), NEW: randomBytes(32).toString('base64') };
const old = '{ id: old, secret: { env: OLD } }';
const fresh = '{ id: new, secret: { env: NEW } }';
const running: TestSidecar[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
});

async function replica(sealWith: string, ...keys: readonly string[]): Promise<TestSidecar> {
  const tokens = `tokens: { sealWith: ${sealWith}, keys: [${keys.join(', ')}] }`;
  const started = await startSidecar({ tokens, variables: secrets });
  running.push(started);
  return started;
}
const session = (at: TestSidecar): Promise<SdkCredentials> => assume(at.url, alice, 'data');
const identity = (at: TestSidecar, keys: SdkCredentials): Promise<string> =>
  outcome(stsClient(at.url, keys).send(new GetCallerIdentityCommand({})));

/** How two replicas answer each other's sessions. */
async function exchanged(one: TestSidecar, other: TestSidecar): Promise<string[]> {
  return [await identity(other, await session(one)), await identity(one, await session(other))];
}

describe('a token key is replaced without losing a session:', () => {
  it('appended on one replica while the other does not have it yet', async () => {
    expect(await exchanged(await replica('old', old, fresh), await replica('old', old))).toEqual([
      'allowed',
      'allowed',
    ]);
  });

  it('promoted on one replica while the other still seals with the old one', async () => {
    expect(await exchanged(await replica('new', old, fresh), await replica('old', old, fresh))).toEqual([
      'allowed',
      'allowed',
    ]);
  });

  it('alone on one replica while the other still opens with both', async () => {
    expect(await exchanged(await replica('new', fresh), await replica('new', old, fresh))).toEqual([
      'allowed',
      'allowed',
    ]);
  });
});

describe('in another order', () => {
  it('a key that was promoted too early is not known on the other replica', async () => {
    expect(await exchanged(await replica('new', old, fresh), await replica('old', old))).toEqual([
      'InvalidClientTokenId 403',
      'allowed',
    ]);
  });

  it('a key that was removed ends the sessions that it sealed', async () => {
    expect(await exchanged(await replica('new', fresh), await replica('old', old, fresh))).toEqual([
      'allowed',
      'InvalidClientTokenId 403',
    ]);
  });

  it('another key under the same id opens nothing', async () => {
    const other = await replica('old', '{ id: old, secret: { env: NEW } }');
    expect(await exchanged(await replica('old', old), other)).toEqual([
      'InvalidClientTokenId 403',
      'InvalidClientTokenId 403',
    ]);
  });
});
