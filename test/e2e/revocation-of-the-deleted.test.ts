import { AssumeRoleCommand, GetCallerIdentityCommand, GetSessionTokenCommand } from '@aws-sdk/client-sts';
import { afterEach, describe, expect, it } from 'vitest';
import { controlClient } from '../support/control-client.ts';
import { outcome, type SdkCredentials, stsClient } from '../support/sdk.ts';
import { account, alice, bob, roleArn, startSidecar, type TestSidecar } from '../support/sidecar.ts';

const token = 'control-token-of-the-test';
const all = '{ P: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "*", Resource: "*" }] } }';
const trust = `{ Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { AWS: "${account}" }, Action: "sts:AssumeRole" }] }`;
const role = (place: string): string => `    - { ${place}, inlinePolicies: ${all}, trustPolicy: ${trust} }\n`;
const bobsEntry = `    - { name: bob, inlinePolicies: ${all}, accessKeys: [{ accessKeyId: ${bob.accessKeyId}, secretAccessKey: { env: BOB } }] }\n`;
const directory = (users: string, roles: string): string => `
directory:
  users:
    - { name: alice, inlinePolicies: ${all}, accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }] }
${users}
  roles:
${role('name: next')}${roles}`;
const full = directory(bobsEntry, role('name: first, path: /team/'));
const withoutRole = directory(bobsEntry, '');
const withoutUser = directory('', role('name: first, path: /team/'));
const first = `arn:aws:iam::${account}:role/team/first`;
const bobArn = `arn:aws:iam::${account}:user/bob`;
const further = 'control: { listen: "127.0.0.1:0", token: { env: CONTROL } }';

let sidecar: TestSidecar;
afterEach(() => sidecar.stop());

interface Issued {
  readonly Credentials?:
    | {
        readonly AccessKeyId: string | undefined;
        readonly SecretAccessKey: string | undefined;
        readonly SessionToken: string | undefined;
      }
    | undefined;
}
async function held(call: Promise<Issued>): Promise<SdkCredentials> {
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = (await call).Credentials ?? {};
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
}
const assume = (keys: SdkCredentials, arn: string): Promise<SdkCredentials> =>
  held(stsClient(sidecar.url, keys).send(new AssumeRoleCommand({ RoleArn: arn, RoleSessionName: 'test' })));
const identity = (keys: SdkCredentials): Promise<string> =>
  outcome(stsClient(sidecar.url, keys).send(new GetCallerIdentityCommand({})));

/** A session of `next` that a session of the role or of the user has assumed, after that has been deleted. */
async function orphan(kind: 'role' | 'user'): Promise<SdkCredentials> {
  sidecar = await startSidecar({ directory: full, variables: { CONTROL: token }, further });
  const parent =
    kind === 'role'
      ? await assume(alice, first)
      : await held(stsClient(sidecar.url, bob).send(new GetSessionTokenCommand({})));
  const child = await assume(parent, roleArn('next'));
  sidecar.reload({ directory: kind === 'role' ? withoutRole : withoutUser });
  expect([await identity(parent), await identity(child)]).toEqual(['InvalidClientTokenId 403', 'allowed']);
  return child;
}

const entries = [
  ['role', { role: first }],
  ['role', { roleSession: `${first}/test` }],
  ['user', { user: bobArn }],
] as const;

describe('what descends from a role or user that was deleted', () => {
  it.each(entries)('of the kind %s is ended by %j in the configuration', async (kind, entry) => {
    const child = await orphan(kind);
    const directoryNow = kind === 'role' ? withoutRole : withoutUser;
    sidecar.reload({
      directory: directoryNow,
      further: `${further}\nrevocations: [${JSON.stringify(entry)}]`,
    });
    expect(await identity(child)).toMatch(/^ExpiredToken/);
  });

  it.each(entries)('of the kind %s is ended by %j at the control listener', async (kind, entry) => {
    const child = await orphan(kind);
    const answer = await controlClient(sidecar.controlUrl, token).add(entry);
    expect([answer.status, answer.body['warning']]).toEqual([
      201,
      `no ${kind} has this ARN: it ends what descends from a deleted one that had exactly this ARN`,
    ]);
    expect(await identity(child)).toMatch(/^ExpiredToken/);
  });

  it('ends in the same reload that deletes it', async () => {
    sidecar = await startSidecar({ directory: full });
    const parent = await assume(alice, first);
    const child = await assume(parent, roleArn('next'));
    sidecar.reload({ directory: withoutRole, further: `revocations: [{ role: "${first}" }]` });
    expect(await identity(parent)).not.toBe('allowed');
    expect(await identity(child)).toMatch(/^ExpiredToken/);
  });

  it('is not ended by the ARN of another path', async () => {
    const child = await orphan('role');
    const answer = await controlClient(sidecar.controlUrl, token).add({ role: roleArn('first') });
    expect([answer.status, answer.body['warning']]).toEqual([201, expect.stringContaining('no role')]);
    expect(await identity(child)).toBe('allowed');
  });

  it('goes on with what it was, if its ARN lacks the path, and the answer says so', async () => {
    sidecar = await startSidecar({ directory: full, variables: { CONTROL: token }, further });
    const session = await assume(alice, first);
    const control = controlClient(sidecar.controlUrl, token);
    for (const entry of [{ role: roleArn('first') }, { roleSession: `${roleArn('first')}/test` }]) {
      const answer = await control.add(entry);
      expect([answer.status, answer.body['warning']]).toEqual([
        201,
        expect.stringMatching(new RegExp(`; the sessions of ${first} go on$`)),
      ]);
    }
    expect(await identity(session)).toBe('allowed');
  });

  it('is not what the ARN of a role with a path means where a session is wanted', async () => {
    sidecar = await startSidecar({ directory: full, variables: { CONTROL: token }, further });
    const answer = await controlClient(sidecar.controlUrl, token).add({ roleSession: first });
    expect(answer.status).toBe(400);
  });
});
