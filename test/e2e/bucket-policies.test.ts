import {
  CopyObjectCommand,
  CreateBucketCommand,
  GetObjectCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assume, outcome, s3Client } from '../support/sdk.ts';
import { account, alice, bob, startSidecar, type TestSidecar } from '../support/sidecar.ts';

const trust = `{ Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { AWS: "${account}" }, Action: "sts:AssumeRole" }] }`;
const arn = (kind: string): string => `arn:aws:iam::${account}:${kind}`;
const session = `arn:aws:sts::${account}:assumed-role/named/test`;
const all = '{ Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "s3:*", Resource: "*" }] }';

const grant = (principal: string, folder: string): string =>
  `{ Sid: "${folder}", Effect: Allow, Principal: ${principal}, Action: ["s3:GetObject", "s3:PutObject"], Resource: "arn:aws:s3:::data/${folder}/*" }`;

const directory = `
directory:
  policies: { Nothing: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "sts:GetCallerIdentity", Resource: "*" }] } }
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      inlinePolicies: { Own: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: ["sts:AssumeRole", "s3:*"], Resource: "*" }] } }
    - name: bob
      accessKeys: [{ accessKeyId: ${bob.accessKeyId}, secretAccessKey: { env: BOB } }]
  roles:
    - { name: named, trustPolicy: ${trust} }
    - { name: bounded, trustPolicy: ${trust}, permissionsBoundary: Nothing }
    - { name: other, trustPolicy: ${trust} }
    - { name: full, trustPolicy: ${trust}, inlinePolicies: { All: ${all} } }
  bucketPolicies:
    data:
      Version: "2012-10-17"
      Statement:
        - ${grant(`{ AWS: "${arn('user/bob')}" }`, 'user')}
        - ${grant(`{ AWS: ["${arn('role/named')}", "${arn('role/bounded')}"] }`, 'role')}
        - ${grant(`{ AWS: "${session}" }`, 'session')}
        - ${grant(`{ AWS: "${arn('root')}" }`, 'account')}
        - ${grant('{ AWS: "999999999999" }', 'stranger')}
        - ${grant('"*"', 'everyone')}
        - { Sid: Frozen, Effect: Deny, Principal: "*", Action: "s3:PutObject", Resource: "arn:aws:s3:::data/frozen/*" }
        - { Sid: OnlyNamed, Effect: Deny, NotPrincipal: { AWS: ["${arn('role/named')}", "${arn('user/alice')}"] }, Action: "s3:*", Resource: "arn:aws:s3:::data/private/*" }
`;

let sidecar: TestSidecar;
const clients = new Map<string, S3Client>();

async function client(name: string, input: object = {}): Promise<S3Client> {
  if (name === 'alice') return s3Client(sidecar.url, alice);
  if (name === 'bob') return s3Client(sidecar.url, bob);
  return s3Client(sidecar.url, await assume(sidecar.url, alice, name, input));
}

const get = (who: S3Client | undefined, key: string): Promise<string> => {
  const [Bucket = '', ...rest] = key.split('/');
  if (who === undefined) throw new Error('no such client');
  return outcome(who.send(new GetObjectCommand({ Bucket, Key: rest.join('/') })));
};

beforeAll(async () => {
  sidecar = await startSidecar({ directory });
  const store = s3Client(sidecar.storeUrl, sidecar.storeCredentials);
  for (const Bucket of ['data', 'copy']) {
    await store.send(new CreateBucketCommand({ Bucket }));
    for (const folder of ['user', 'role', 'session', 'account', 'stranger', 'everyone', 'frozen', 'private'])
      await store.send(new PutObjectCommand({ Bucket, Key: `${folder}/k`, Body: folder }));
  }
  for (const name of ['alice', 'bob', 'named', 'bounded', 'other', 'full'])
    clients.set(name, await client(name));
});
afterAll(() => sidecar.stop());

describe('a bucket policy of the sidecar', () => {
  it.each([
    ['bob', 'data/user/k', 'allowed', 'a user by its ARN, without a policy of its own'],
    ['bob', 'data/everyone/k', 'allowed', 'everybody'],
    ['bob', 'data/account/k', 'AccessDenied 403', 'an account only delegates'],
    ['alice', 'data/account/k', 'allowed', 'an account, and a policy of its own'],
    ['bob', 'data/role/k', 'AccessDenied 403', 'another principal'],
    ['bob', 'data/stranger/k', 'AccessDenied 403', 'another account'],
    ['bob', 'copy/user/k', 'AccessDenied 403', 'another bucket'],
    ['named', 'data/role/k', 'allowed', 'a role by its ARN'],
    ['named', 'data/session/k', 'allowed', 'a session by its ARN'],
    ['named', 'data/user/k', 'AccessDenied 403', 'a user, not this role'],
    ['other', 'data/role/k', 'AccessDenied 403', 'another role'],
    ['other', 'data/everyone/k', 'allowed', 'everyone, a session without policies included'],
    ['bounded', 'data/role/k', 'AccessDenied 403', 'a role whose boundary does not allow it'],
    ['bounded', 'data/everyone/k', 'allowed', 'everyone, which a boundary does not limit'],
  ])('%s reading %s is %s: it names %s', async (who, key, expected) => {
    expect(await get(clients.get(who), key)).toBe(expected);
  });

  it('denies whatever identity policies allow', async () => {
    const put = clients
      .get('full')
      ?.send(new PutObjectCommand({ Bucket: 'data', Key: 'frozen/k', Body: 'x' }));
    await expect(put).rejects.toThrow('with an explicit deny in a resource-based policy');
    expect(await get(clients.get('full'), 'data/frozen/k')).toBe('allowed');
  });

  it('denies everyone except those that NotPrincipal lists', async () => {
    expect(await get(clients.get('full'), 'data/private/k')).toBe('AccessDenied 403');
    expect(await get(clients.get('alice'), 'data/private/k')).toBe('allowed');
    // Exempt from the Deny, and allowed by nothing.
    expect(await get(clients.get('named'), 'data/private/k')).toBe('AccessDenied 403');
  });

  it('takes part in what a copy reads, as the policy of the source’s bucket', async () => {
    const copy = (source: string): Promise<string> =>
      outcome(
        (clients.get('full') ?? s3Client('', bob)).send(
          new CopyObjectCommand({ Bucket: 'copy', Key: 'new', CopySource: source }),
        ),
      );
    expect(await copy('data/private/k')).toBe('AccessDenied 403');
    expect(await copy('data/user/k')).toBe('allowed');
  });

  it('cannot widen a session that its session policy limits, when it names the role', async () => {
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::data/other/*' }],
    });
    const limited = await client('named', { Policy });
    expect(await get(limited, 'data/role/k')).toBe('AccessDenied 403');
    // Session policies do not limit a grant that names the session or everyone directly (AWS, "Policy evaluation logic").
    expect(await get(limited, 'data/session/k')).toBe('allowed');
    expect(await get(limited, 'data/everyone/k')).toBe('allowed');
  });

  it('refuses unsigned requests', async () => {
    const response = await fetch(`${sidecar.url}/data/everyone/k`);
    expect(response.status).toBe(403);
    expect(await response.text()).toContain('<Code>AccessDenied</Code>');
  });
});
