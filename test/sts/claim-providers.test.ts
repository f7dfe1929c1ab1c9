import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openIdRoleId } from '../../src/identity/oidc/settings.ts';
import { startIdentityProvider, type TestIdentityProvider } from '../support/identity-provider.ts';
import { outcome, type SdkCredentials, stsClient } from '../support/sdk.ts';
import { account, startSidecar, TestClock, type TestSidecar } from '../support/sidecar.ts';
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
  const trust = (condition: string): string =>
    `{ Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { Federated: "${providerArn(idp.issuer)}" }, Action: "sts:AssumeRoleWithWebIdentity"${condition} }] }`;
  const forWorkloads = `, Condition: { StringEquals: { "${idp.issuer.replace('http://', '')}:aud": workloads } }`;
  const sidecar = await startSidecar({
    clock,
    tokenKey,
    directory: `
directory:
  policies:
    ReadData: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::data/*" }] }
  roles:
    - { name: pod, trustPolicy: ${trust(forWorkloads)} }
    - { name: anyone, trustPolicy: ${trust('')} }
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

/** The ARN of the session that the token gets, or the code of the refusal. */
async function arnFor(url: string, token: string, RoleArn?: string): Promise<string | undefined> {
  const { status, body } = await ask(url, token, RoleArn);
  return elementText(body, status === 200 ? 'Arn' : 'Code');
}

async function credentials(url: string, token: string): Promise<Required<SdkCredentials>> {
  const { body } = await ask(url, token);
  return {
    accessKeyId: elementText(body, 'AccessKeyId') ?? '',
    secretAccessKey: elementText(body, 'SecretAccessKey') ?? '',
    sessionToken: elementText(body, 'SessionToken') ?? '',
  };
}

const staff = 'name: staff, clientIds: [console], rolePolicies: [ReadData]';
const people = (clientIds: string): string => `name: people, clientIds: ${clientIds}, claimName: policy`;
const workloads = 'name: workloads, clientIds: [workloads]';

describe('a session of a claim-mode provider', () => {
  it('ends when the provider gets other client ids, and not when their order changes', async () => {
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

describe('a token for the audiences of several providers', () => {
  const generated = `arn:minio:iam:::role/${openIdRoleId('console')}`;
  const session = (role: string): string => `arn:aws:sts::${account}:assumed-role/${role}/session`;
  const orders: [string, (() => string)[]][] = [
    ['first', [() => staff, () => people('[storage]'), () => workloads]],
    ['last', [() => workloads, () => people('[storage]'), () => staff]],
  ];

  it.each(orders)('is judged by the provider that the RoleArn selects, listed %s', async (_, providers) => {
    const url = await sidecarWith(...providers.map((one) => one()));
    const token = await idp.mint({ aud: ['console', 'storage', 'workloads'], policy: 'ReadData' });
    expect(await arnFor(url, token, generated)).toBe(session(openIdRoleId('console')));
    expect(await arnFor(url, token)).toBe(session('people'));
    expect(await arnFor(url, token, `arn:aws:iam::${account}:role/anything`)).toBe(session('people'));
    expect(await arnFor(url, token, `arn:aws:iam::${account}:role/pod`)).toBe(session('pod'));
  });

  it.each(orders)('has to pass every check of that provider, listed %s', async (_, providers) => {
    const url = await sidecarWith(...providers.map((one) => one()));
    const mint = (claims: Record<string, unknown>): Promise<string> =>
      idp.mint({ aud: ['console', 'storage', 'workloads'], policy: 'ReadData', ...claims });
    // Issued to the client of one provider: the others do not take it.
    const ofConsole = await mint({ azp: 'console' });
    expect(await arnFor(url, ofConsole, generated)).toBe(session(openIdRoleId('console')));
    expect(await arnFor(url, ofConsole)).toBe('AccessDenied');
    const ofStorage = await mint({ azp: 'storage' });
    expect(await arnFor(url, ofStorage, generated)).toBe('AccessDenied');
    expect(await arnFor(url, ofStorage)).toBe(session('people'));
    expect(await arnFor(url, await mint({ aud: ['console', 'workloads'] }))).toBe('AccessDenied');
    expect(await arnFor(url, await mint({ policy: 'Unknown' }))).toBe('AccessDenied');
    expect(await arnFor(url, await mint({ aud: 'foreign' }), generated)).toBe('InvalidIdentityToken');
    const [head, , signature] = ofConsole.split('.');
    const [, forged] = ofStorage.split('.');
    expect(await arnFor(url, `${head}.${forged}.${signature}`)).toBe('InvalidIdentityToken');
  });
});

describe('a role of the directory that trusts the issuer whatever the audience', () => {
  const anyone = `arn:aws:iam::${account}:role/anyone`;

  it.each([
    ['a provider with role policies', { aud: 'console' }],
    ['a claim-mode provider', { aud: 'storage' }],
    ['a provider with role policies, because of azp', { aud: ['workloads', 'console'], azp: 'console' }],
  ])('refuses users of %s', async (_, claims) => {
    const url = await sidecarWith(workloads, staff, people('[storage]'));
    const token = await idp.mint({ policy: 'ReadData', ...claims });
    expect(await arnFor(url, token, anyone)).toBe('AccessDenied');
    const alone = await sidecarWith(workloads);
    expect(await arnFor(alone, token, anyone)).toBe('InvalidIdentityToken');
  });

  it('admits users of a provider without a role of its own', async () => {
    const url = await sidecarWith(workloads, staff, people('[storage]'));
    const token = await idp.mint({ aud: 'workloads', policy: 'ReadData' });
    expect(await arnFor(url, token, anyone)).toMatch(/:assumed-role\/anyone\/session$/);
  });
});
