import { randomBytes } from 'node:crypto';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assume, outcome, type SdkCredentials, scopeToReading, stsClient } from '../support/sdk.ts';
import { account, alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';

const all = '{ P: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "*", Resource: "*" }] } }';
const trust = `{ Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { AWS: "${account}" }, Action: "sts:AssumeRole" }] }`;
const directory = `
directory:
  users:
    - { name: alice, accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }], inlinePolicies: ${all} }
  roles:
    - { name: first, inlinePolicies: ${all}, trustPolicy: ${trust} }
    - { name: second, inlinePolicies: ${all}, trustPolicy: ${trust} }
`;
const variables = { OLD: randomBytes(32).toString('base64'), NEW: randomBytes(32).toString('base64') };
const old = '{ id: old, secret: { env: OLD } }';
const fresh = '{ id: new, secret: { env: NEW } }';
const ring = (sealWith: string, ...keys: readonly string[]): string =>
  `tokens: { sealWith: ${sealWith}, keys: [${keys.join(', ')}] }`;

let sidecar: TestSidecar;
beforeAll(async () => {
  sidecar = await startSidecar({ directory, variables, tokens: ring('old', old) });
});
afterAll(() => sidecar.stop());

const identity = (keys: SdkCredentials): Promise<string> =>
  outcome(stsClient(sidecar.url, keys).send(new GetCallerIdentityCommand({})));

describe('a token key that is removed', () => {
  it('ends what it sealed, and what descends from that under another key', async () => {
    const { url } = sidecar;
    const parent = await assume(url, alice, 'first');
    sidecar.reload({ tokens: ring('new', old, fresh) });
    const scoped = await scopeToReading(url, await assume(url, parent, 'second'));
    const ended = {
      parent,
      scoped,
      renewed: await scopeToReading(url, parent),
      assumed: await assume(url, parent, 'second'),
      assumedAgain: await assume(url, await assume(url, parent, 'second'), 'first'),
    };
    const independent = await assume(url, await assume(url, alice, 'first'), 'second');
    for (const keys of [...Object.values(ended), independent]) expect(await identity(keys)).toBe('allowed');
    sidecar.reload({ tokens: ring('new', fresh) });
    for (const [name, keys] of Object.entries(ended))
      expect([name, await identity(keys)]).toEqual([name, 'InvalidClientTokenId 403']);
    expect(await identity(independent)).toBe('allowed');
  });
});
