import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startIdentityProvider, type TestIdentityProvider } from '../support/identity-provider.ts';
import { outcome, type SdkCredentials, stsClient } from '../support/sdk.ts';
import { startSidecar, TestClock, type TestSidecar } from '../support/sidecar.ts';
import { providerArn } from '../support/web-identity.ts';
import { elementText } from './support/sts-fixture.ts';

const clock = new TestClock();
const tokenKey = Buffer.alloc(32, 9).toString('base64');
const started: TestSidecar[] = [];
let idp: TestIdentityProvider;

beforeAll(async () => {
  idp = await startIdentityProvider({ clock });
});
afterAll(async () => {
  await Promise.all(started.map((one) => one.stop()));
  await idp.stop();
});

/** A sidecar with these providers, in this order; every one is of the same issuer. */
async function sidecarWith(...providers: string[]): Promise<string> {
  const trust = `{ Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { Federated: "${providerArn(idp.issuer)}" }, Action: "sts:AssumeRoleWithWebIdentity", Condition: { StringEquals: { "${idp.issuer.replace('http://', '')}:aud": workloads } } }] }`;
  const sidecar = await startSidecar({
    clock,
    tokenKey,
    directory: `
directory:
  policies:
    ReadData: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::data/*" }] }
  roles:
    - { name: pod, trustPolicy: ${trust} }
  identityProviders:
${providers.map((one) => `    - { kind: oidc, issuer: "${idp.issuer}", ${one} }`).join('\n')}
`,
  });
  started.push(sidecar);
  return sidecar.url;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

async function ask(url: string, token: string, RoleArn?: string): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    body: new URLSearchParams({
      Action: 'AssumeRoleWithWebIdentity',
      Version: '2011-06-15',
      WebIdentityToken: token,
      RoleSessionName: 'session',
      ...(RoleArn === undefined ? {} : { RoleArn }),
    }),
  });
  return { status: response.status, body: await response.text() };
}

async function credentials(url: string, token: string): Promise<Required<SdkCredentials>> {
  const { body } = await ask(url, token);
  return {
    accessKeyId: elementText(body, 'AccessKeyId') ?? '',
    secretAccessKey: elementText(body, 'SecretAccessKey') ?? '',
    sessionToken: elementText(body, 'SessionToken') ?? '',
  };
}

const people = (clientIds: string): string => `name: people, clientIds: ${clientIds}, claimName: policy`;

describe('a session of a claim-mode provider', () => {
  it('ends when the provider gets other client ids, and not when they change places', async () => {
    const keys = await credentials(
      await sidecarWith(people('[storage, desktop]')),
      await idp.mint({ aud: 'storage', policy: 'ReadData' }),
    );
    const identity = async (clientIds: string): Promise<string> => {
      const url = await sidecarWith(people(clientIds));
      return outcome(stsClient(url, keys, clock).send(new GetCallerIdentityCommand({})));
    };
    expect(await identity('[storage, desktop]')).toBe('allowed');
    expect(await identity('[desktop, storage]')).toBe('allowed');
    expect(await identity('[desktop]')).toBe('InvalidClientTokenId 403');
    expect(await identity('[another]')).toBe('InvalidClientTokenId 403');
    expect(await identity('[storage, desktop, another]')).toBe('InvalidClientTokenId 403');
  });
});
