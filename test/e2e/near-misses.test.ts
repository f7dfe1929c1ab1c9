import { randomBytes } from 'node:crypto';
import {
  CreateBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { AssumeRoleCommand, DecodeAuthorizationMessageCommand } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assume, outcome, type SdkCredentials, s3Client, stsClient } from '../support/sdk.ts';
import { account, alice, bob, roleArn, startSidecar, type TestSidecar } from '../support/sidecar.ts';

const marker = ' Encoded authorization failure message: ';
const trust = (condition = '{}'): string =>
  `{ Version: "2012-10-17", Statement: { Effect: Allow, Principal: { AWS: "${account}" }, Action: "sts:AssumeRole", Condition: ${condition} } }`;
const directory = `
directory:
  policies:
    ReadReports:
      Version: "2012-10-17"
      Statement:
        - { Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::reports/blue/*" }
        - { Effect: Allow, Action: "s3:ListBucket", Resource: "arn:aws:s3:::reports", Condition: { StringLike: { "s3:prefix": "\${aws:PrincipalTag/team}/*" } } }
        - { Effect: Allow, Action: "s3:DeleteObject", Resource: "arn:aws:s3:::reports/*", Condition: { StringEquals: { "aws:UserAgent": hush } } }
        - { Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::tagged/*", Condition: { StringEquals: { "s3:ExistingObjectTag/project": public } } }
        - { Effect: Allow, Action: "s3:ListAllMyBuckets", Resource: "*", Condition: { StringEquals: { "aws:userid": x } } }
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      inlinePolicies: { Assume: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "sts:*", Resource: "*" }] } }
    - name: bob
      accessKeys: [{ accessKeyId: ${bob.accessKeyId}, secretAccessKey: { env: BOB } }]
      inlinePolicies: { Some: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "sts:AssumeRole", Resource: "*", Condition: { StringEquals: { "sts:RoleSessionName": bob } } }] } }
  roles:
    - { name: lister, inlinePolicies: { L: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "s3:ListBucket", Resource: "arn:aws:s3:::open" }] } }, trustPolicy: ${trust()} }
    - { name: reader, policies: [ReadReports], tags: { team: blue }, trustPolicy: ${trust()} }
    - { name: audited, policies: [ReadReports], tags: { team: blue }, enforcement: audit, trustPolicy: ${trust()} }
    - { name: partner, trustPolicy: ${trust('{ StringEquals: { "sts:ExternalId": partner-7 } }')} }
`;

const redListing = 'Statement ReadReports[1]: StringLike s3:prefix `red/` does not match `blue/*`';

type Line = Readonly<Record<string, unknown>>;

function lastDenial(sidecar: TestSidecar): Line {
  const lines = sidecar.logged.map((text) => JSON.parse(text) as Line);
  return lines.findLast(({ decision }) => decision === 'deny') ?? {};
}

const listRed = (sidecar: TestSidecar, keys: SdkCredentials): Promise<unknown> =>
  s3Client(sidecar.url, keys).send(new ListObjectsV2Command({ Bucket: 'reports', Prefix: 'red/' }));

async function errorOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'allowed',
    (error: unknown) => (error instanceof Error ? error.message : 'thrown'),
  );
}

async function decoded(sidecar: TestSidecar, error: string): Promise<unknown> {
  const [, EncodedMessage = ''] = error.split(marker);
  const command = new DecodeAuthorizationMessageCommand({ EncodedMessage });
  const { DecodedMessage = '' } = await stsClient(sidecar.url, alice).send(command);
  return JSON.parse(DecodedMessage);
}

describe('a request that nearly was allowed', () => {
  let sidecar: TestSidecar;
  let reader: SdkCredentials;
  beforeAll(async () => {
    sidecar = await startSidecar({ directory });
    reader = await assume(sidecar.url, alice, 'reader');
  });
  afterAll(() => sidecar.stop());

  it('has its near miss in the log and in the sealed message, and not in the answer', async () => {
    const error = await errorOf(listRed(sidecar, reader));
    const [said] = error.split(marker);
    expect(said).toMatch(/because no identity-based policy allows the s3:ListBucket action$/);
    expect(lastDenial(sidecar)).toMatchObject({ policy_type: 'identity', near_miss: redListing });
    expect(await decoded(sidecar, error)).toMatchObject({
      failures: { items: [] },
      denial: {
        policyType: 'identity',
        nearMiss: {
          sourcePolicyId: `arn:aws:iam::${account}:policy/ReadReports`,
          sourcePolicyType: 'identity',
          statementId: '',
          statementIndex: 1,
          reason: redListing,
        },
      },
    });
  });

  it('names the resource that would have been allowed', async () => {
    const s3 = s3Client(sidecar.url, reader);
    await outcome(s3.send(new GetObjectCommand({ Bucket: 'reports', Key: 'red/plan' })));
    expect(lastDenial(sidecar)['near_miss']).toBe(
      'Statement ReadReports[0]: the resource `arn:aws:s3:::reports/red/plan` does not match `arn:aws:s3:::reports/blue/*`',
    );
  });

  it('does not show the tags of an object, which the caller may not read', async () => {
    const atStore = s3Client(sidecar.storeUrl, sidecar.storeCredentials);
    const Key = 'plan';
    await atStore.send(new CreateBucketCommand({ Bucket: 'tagged' }));
    await atStore.send(new PutObjectCommand({ Bucket: 'tagged', Key, Tagging: 'project=merger' }));
    const error = await errorOf(
      s3Client(sidecar.url, reader).send(new GetObjectCommand({ Bucket: 'tagged', Key })),
    );
    const expected =
      'Statement ReadReports[3]: StringEquals s3:ExistingObjectTag/project, whose value is not shown, is compared with `public`';
    expect(lastDenial(sidecar)['near_miss']).toBe(expected);
    const message = JSON.stringify(await decoded(sidecar, error));
    expect(message).toContain(expected);
    expect(message).not.toContain('merger');
  });

  it.each(['mer*', 'x*'])(
    'does not say whether a Deny on a tag, of the caller itself, applies where nothing allows: %s',
    async (project) => {
      const atStore = s3Client(sidecar.storeUrl, sidecar.storeCredentials);
      const object = { Bucket: 'tagged', Key: 'plan' };
      await atStore.send(new CreateBucketCommand({ Bucket: 'tagged' })).catch(() => undefined);
      await atStore.send(new PutObjectCommand({ ...object, Tagging: 'project=merger' }));
      const Policy = JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Action: '*', Resource: '*' },
          {
            Effect: 'Deny',
            Action: '*',
            Resource: '*',
            Condition: { StringLike: { 's3:ExistingObjectTag/project': project } },
          },
        ],
      });
      const request = { RoleArn: roleArn('lister'), RoleSessionName: 'test', Policy };
      const { Credentials } = await stsClient(sidecar.url, alice).send(new AssumeRoleCommand(request));
      const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = Credentials ?? {};
      const keys = {
        accessKeyId: AccessKeyId,
        secretAccessKey: SecretAccessKey,
        sessionToken: SessionToken,
      };
      sidecar.seen.length = 0;
      const error = await errorOf(s3Client(sidecar.url, keys).send(new GetObjectCommand(object)));
      expect(error).toContain('because no identity-based policy allows the s3:GetObject action');
      expect(sidecar.seen).toEqual([]);
    },
  );

  it('has none when no statement is about the action, or when a Deny denies', async () => {
    const s3 = s3Client(sidecar.url, reader);
    await outcome(s3.send(new PutObjectCommand({ Bucket: 'reports', Key: 'k', Body: '' })));
    expect(lastDenial(sidecar)).toMatchObject({ operation: 'PutObject' });
    expect(lastDenial(sidecar)).not.toHaveProperty('near_miss');
  });

  it('has one for a batch of which every key is denied', async () => {
    const Objects = Array.from({ length: 20 }, (_, index) => ({ Key: `k${index}` }));
    await s3Client(sidecar.url, reader).send(
      new DeleteObjectsCommand({ Bucket: 'reports', Delete: { Objects } }),
    );
    expect(lastDenial(sidecar)['near_miss']).toMatch(
      /^Statement ReadReports\[2\]: StringEquals aws:UserAgent `.*` does not match a value that is not shown$/,
    );
  });

  it('has none for a list of buckets that is filtered, because that is allowed', async () => {
    const store = s3Client(sidecar.storeUrl, sidecar.storeCredentials);
    await store.send(new CreateBucketCommand({ Bucket: 'open' }));
    const lister = await assume(sidecar.url, alice, 'lister');
    const before = sidecar.logged.length;
    await s3Client(sidecar.url, lister).send(new ListBucketsCommand({}));
    expect(sidecar.logged.slice(before).join()).not.toContain('near_miss');
  });

  it('has one for a list of buckets of which no bucket is left', async () => {
    expect(await outcome(s3Client(sidecar.url, reader).send(new ListBucketsCommand({})))).toBe(
      'AccessDenied 403',
    );
    expect(lastDenial(sidecar)['near_miss']).toMatch(
      /^Statement ReadReports\[4\]: StringEquals aws:userid `.*:test` does not match `x`$/,
    );
  });

  it('has one where audit mode only records the refusal', async () => {
    const audited = await assume(sidecar.url, alice, 'audited');
    expect(await outcome(listRed(sidecar, audited))).not.toContain('AccessDenied');
    expect(lastDenial(sidecar)).toMatchObject({ operation: 'ListObjectsV2', near_miss: redListing });
  });
});

describe('a role that nearly could be assumed', () => {
  let sidecar: TestSidecar;
  beforeAll(async () => {
    sidecar = await startSidecar({ directory });
  });
  afterAll(() => sidecar.stop());

  const ask = (keys: SdkCredentials, role: string, ExternalId?: string): Promise<string> =>
    errorOf(
      stsClient(sidecar.url, keys).send(
        new AssumeRoleCommand({ RoleArn: roleArn(role), RoleSessionName: 'me', ExternalId }),
      ),
    );

  it('has what the trust policy wants in the log alone: the caller must not learn it', async () => {
    const error = await ask(alice, 'partner', 'other');
    expect(lastDenial(sidecar)).toMatchObject({
      policy_type: 'resource',
      near_miss:
        'Statement[0] of the trust policy: StringEquals sts:ExternalId `other` does not match `partner-7`',
    });
    const document = await decoded(sidecar, error);
    expect(document).not.toHaveProperty('denial.nearMiss');
    expect(JSON.stringify(document)).not.toContain('partner-7');
  });

  it.each(['reader', 'partner', 'missing'])(
    'tells a caller whose own policies do not allow it nothing but those: %s',
    async (role) => {
      const document = await decoded(sidecar, await ask(bob, role));
      expect(document).toMatchObject({
        denial: {
          policyType: 'identity',
          nearMiss: {
            sourcePolicyId: 'Some',
            reason: 'Statement Some[0]: StringEquals sts:RoleSessionName `me` does not match `bob`',
          },
        },
      });
    },
  );
});

describe('object keys that the log must not show', () => {
  it.each(['hash', 'off'])('are not shown by a near miss either: %s', async (objectKeys) => {
    const sidecar = await startSidecar({ directory, further: `log: { objectKeys: ${objectKeys} }` });
    try {
      const reader = await assume(sidecar.url, alice, 'reader');
      const s3 = s3Client(sidecar.url, reader);
      await outcome(s3.send(new GetObjectCommand({ Bucket: 'reports', Key: 'red/plan' })));
      expect(lastDenial(sidecar)['near_miss']).toBe(
        'Statement ReadReports[0]: the resource does not match `arn:aws:s3:::reports/blue/*`',
      );
      await outcome(listRed(sidecar, reader));
      expect(lastDenial(sidecar)['near_miss']).toBe(
        'Statement ReadReports[1]: StringLike s3:prefix does not match `blue/*`',
      );
      expect(sidecar.logged.join()).not.toContain('red/');
      // The caller of AssumeRole names keys as well.
      const resource = 'arn:aws:s3:::reports/blue/of-a-customer';
      const Policy = JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: resource }],
      });
      const narrow = s3Client(sidecar.url, await assume(sidecar.url, alice, 'reader', { Policy }));
      await outcome(narrow.send(new GetObjectCommand({ Bucket: 'reports', Key: 'blue/plan' })));
      expect(lastDenial(sidecar)).toMatchObject({
        policy_type: 'session',
        near_miss: 'Statement[0] of the session policy: the resource',
      });
      expect(sidecar.logged.join()).not.toContain('of-a-customer');
    } finally {
      await sidecar.stop();
    }
  });
});

describe('authorization.encodedMessages', () => {
  it('off leaves the request id in place of the sealed message, for S3 alone', async () => {
    const further = 'authorization: { encodedMessages: off }';
    const tokenKey = randomBytes(32).toString('base64');
    const sidecar = await startSidecar({ directory, further, tokenKey });
    try {
      const reader = await assume(sidecar.url, alice, 'reader');
      const error = await errorOf(listRed(sidecar, reader));
      const { request_id: id, near_miss: miss } = lastDenial(sidecar);
      expect(error).toMatch(
        new RegExp(
          `because no identity-based policy allows the s3:ListBucket action \\(request id ${String(id)}\\)$`,
        ),
      );
      expect(miss).toBe(redListing);
      expect(await errorOf(assume(sidecar.url, bob, 'reader'))).toContain(marker);
    } finally {
      await sidecar.stop();
    }
  });
});
