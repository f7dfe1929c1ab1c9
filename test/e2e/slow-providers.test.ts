import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LocalServer, startIdentityProvider, startLocalServer } from '../support/identity-provider.ts';
import { account, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { bareIssuer, providerArn } from '../support/web-identity.ts';

/** Both webhooks of a test stand on one server: `/slow` answers when told, `/fast` at once. */
let server: LocalServer;
let waiting: ServerResponse[];
let sidecar: TestSidecar;

const accept = (response: ServerResponse): void => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end('{"user":"Alice","maxValiditySeconds":3600}');
};

const webhook = (name: string): string =>
  `{ kind: custom-token, name: ${name}, url: "${server.url}/${name}", rolePolicies: [ReadOnly], roleId: ${name} }`;

const policies = `
directory:
  policies:
    ReadOnly:
      Version: "2012-10-17"
      Statement: [{ Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::data/*" }]`;

beforeEach(async () => {
  waiting = [];
  server = await startLocalServer((request, response) => {
    if (request.url?.startsWith('/slow') === true && request.method === 'POST') waiting.push(response);
    else accept(response);
  });
});
afterEach(async () => {
  await sidecar.stop();
  await server.close();
});

/** The status of an answer and its error code. */
async function call(parameters: Readonly<Record<string, string>>): Promise<string> {
  const form = new URLSearchParams({ Version: '2011-06-15', ...parameters });
  const response = await fetch(sidecar.url, { method: 'POST', body: form });
  const body = await response.text();
  return `${response.status} ${/<Code>([^<]*)</.exec(body)?.[1] ?? 'issued'}`;
}

const ask = (name: string): Promise<string> =>
  call({ Action: 'AssumeRoleWithCustomToken', Token: 'aaa', RoleArn: `arn:minio:iam:::role/idmp-${name}` });

const askOften = (name: string, times: number): Promise<string>[] =>
  Array.from({ length: times }, () => ask(name));

/** Records how calls end, in the order in which they do. */
function watch(calls: readonly Promise<string>[]): string[] {
  const ends: string[] = [];
  for (const one of calls) void one.then((end) => ends.push(end));
  return ends;
}

const count = (answers: readonly string[], answer: string): number =>
  answers.filter((one) => one === answer).length;

describe('a webhook that hangs while 200 calls come for it', () => {
  beforeEach(async () => {
    const identityProviders = `\n  identityProviders: [${webhook('slow')}, ${webhook('fast')}]\n`;
    sidecar = await startSidecar({ directory: policies + identityProviders });
  });

  it('keeps 16 calls and answers the rest with Throttling; another webhook goes on answering', async () => {
    const calls = askOften('slow', 200);
    const early = watch(calls);
    await expect.poll(() => waiting.length).toBe(16);
    expect(await Promise.all(askOften('fast', 20))).toEqual(Array.from({ length: 20 }, () => '200 issued'));
    // Those in the queue wait for two seconds.
    await expect.poll(() => count(early, '400 Throttling')).toBe(184);
    for (const response of waiting) response.destroy();
    const answers = await Promise.all(calls);
    expect(count(answers, '400 Throttling')).toBe(184);
    const metrics = await (await fetch(`${sidecar.adminUrl}/metrics`)).text();
    expect(metrics).toContain('sts_sidecar_limit_actions_total{limit="identity_provider"} 184');
    expect(count(answers, '400 IDPCommunicationError')).toBe(16);
  });

  it('takes the next calls once it answers again', async () => {
    const first = askOften('slow', 40);
    const early = watch(first);
    await expect.poll(() => waiting.length).toBe(16);
    await expect.poll(() => count(early, '400 Throttling')).toBeGreaterThanOrEqual(8);
    const answering = setInterval(() => waiting.splice(0).forEach(accept), 10);
    const answers = await Promise.all(first);
    // On a slow machine some of the queue gave up before it was their turn.
    expect(count(answers, '200 issued')).toBe(40 - count(answers, '400 Throttling'));
    expect(count(answers, '200 issued')).toBeGreaterThanOrEqual(16);
    expect(await Promise.all(askOften('slow', 32))).toEqual(Array.from({ length: 32 }, () => '200 issued'));
    clearInterval(answering);
  });
});

describe('an issuer whose keys do not arrive', () => {
  it('keeps 32 calls, which one fetch serves, and no other issuer waits for it', async () => {
    const slow = await startIdentityProvider();
    const fast = await startIdentityProvider();
    const held: ServerResponse[] = [];
    slow.answerWith((_, response) => {
      held.push(response);
      return true;
    });
    const provider = (name: string, issuer: string): string =>
      `{ kind: oidc, name: ${name}, issuer: "${issuer}", clientIds: [sts-sidecar] }`;
    const trust = [slow, fast].map(
      ({ issuer }) =>
        `{ Effect: Allow, Principal: { Federated: "${providerArn(issuer)}" }, Action: "sts:AssumeRoleWithWebIdentity", Condition: { StringEquals: { "${bareIssuer(issuer)}:sub": subject-1 } } }`,
    );
    sidecar = await startSidecar({
      directory: `${policies}
  identityProviders: [${provider('slow', slow.issuer)}, ${provider('fast', fast.issuer)}]
  roles: [{ name: pod, trustPolicy: { Version: "2012-10-17", Statement: [${trust}] } }]
`,
      further: 'outbound: { timeoutSeconds: 30 }',
    });
    const assume = (token: string): Promise<string> =>
      call({
        Action: 'AssumeRoleWithWebIdentity',
        RoleArn: `arn:aws:iam::${account}:role/pod`,
        RoleSessionName: 'pod',
        WebIdentityToken: token,
      });
    const [slowToken, fastToken] = [await slow.mint(), await fast.mint()];
    const calls = Array.from({ length: 100 }, () => assume(slowToken));
    const early = watch(calls);
    await expect.poll(() => held.length).toBe(1);
    const others = await Promise.all(Array.from({ length: 20 }, () => assume(fastToken)));
    expect(count(others, '200 issued')).toBe(20);
    await expect.poll(() => count(early, '400 Throttling')).toBe(84);
    for (const response of held) response.destroy();
    const answers = await Promise.all(calls);
    expect(count(answers, '400 Throttling')).toBe(84);
    expect(count(answers, '400 IDPCommunicationError')).toBe(16);
    expect(held).toHaveLength(1);
    await slow.stop();
    await fast.stop();
  });
});
