import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { AssumeRoleCommand, GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { assume, outcome, type SdkCredentials, s3Client, scopeToReading, stsClient } from '../support/sdk.ts';
import { account, alice, roleArn, startSidecar, TestClock, type TestSidecar } from '../support/sidecar.ts';
import { startWebhook, type TestWebhook } from '../support/webhook.ts';

const clock = new TestClock();
const secret = 'Bearer of-the-sidecar';
const tokenKey = Buffer.alloc(32, 9).toString('base64');
let webhook: TestWebhook;
let sidecar: TestSidecar;
let otherUrl: string;

const policies = `
  policies:
    DataBucket:
      Version: "2012-10-17"
      Statement: [{ Effect: Allow, Action: ["s3:CreateBucket", "s3:PutObject", "s3:GetObject"], Resource: ["arn:aws:s3:::data", "arn:aws:s3:::data/*"] }]
    ReadOnly:
      Version: "2012-10-17"
      Statement: [{ Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::data/*" }]
    Assume:
      Version: "2012-10-17"
      Statement: [{ Effect: Allow, Action: "sts:AssumeRole", Resource: "*" }]
  users:
    - { name: alice, accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }], policies: [Assume] }
  roles:
    - name: data
      policies: [DataBucket]
      trustPolicy: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { AWS: "arn:aws:iam::${account}:root" }, Action: "sts:AssumeRole" }] }
`;

const directory = (url: string, other = url): string => `
directory:${policies}
  identityProviders:
    - { kind: custom-token, name: plugin, url: "${url}", authToken: "${secret}", rolePolicies: [DataBucket, Assume], roleId: main }
    - { kind: custom-token, name: by-url, url: "${other}", rolePolicies: [ReadOnly] }
`;

const mainRole = 'arn:minio:iam:::role/idmp-main';

beforeAll(async () => {
  webhook = await startWebhook();
  otherUrl = `${webhook.url}/other?tenant=t`;
  sidecar = await startSidecar({ clock, tokenKey, directory: directory(webhook.url, otherUrl) });
});
afterAll(async () => {
  await sidecar.stop();
  await webhook.stop();
});
beforeEach(() => {
  webhook.answerWith(undefined);
  webhook.questions.length = 0;
});

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly code: string;
  readonly message: string;
}

/** What `POST /?Action=AssumeRoleWithCustomToken&…` answers. */
async function ask(parameters: Readonly<Record<string, string>>, url = sidecar.url): Promise<Answer> {
  const query = new URLSearchParams({
    Action: 'AssumeRoleWithCustomToken',
    Version: '2011-06-15',
    ...parameters,
  });
  const response = await fetch(`${url}/?${query}`, { method: 'POST' });
  const body = await response.text();
  const text = (name: string): string => new RegExp(`<${name}>([^<]*)</${name}>`).exec(body)?.[1] ?? '';
  return { status: response.status, body, code: text('Code'), message: text('Message') };
}

function credentialsIn({ body }: Answer): Required<SdkCredentials> {
  const text = (name: string): string => new RegExp(`<${name}>([^<]*)</${name}>`).exec(body)?.[1] ?? '';
  return {
    accessKeyId: text('AccessKeyId'),
    secretAccessKey: text('SecretAccessKey'),
    sessionToken: text('SessionToken'),
  };
}

const lifetimeSeconds = ({ body }: Answer): number =>
  Math.round((Date.parse(/<Expiration>(.*?)</.exec(body)?.[1] ?? '') - clock.now()) / 1000);

const put = (keys: SdkCredentials, url = sidecar.url): Promise<string> =>
  outcome(s3Client(url, keys, { clock }).send(new PutObjectCommand({ Bucket: 'data', Key: 'x', Body: 'x' })));
const get = (keys: SdkCredentials): Promise<string> =>
  outcome(s3Client(sidecar.url, keys, { clock }).send(new GetObjectCommand({ Bucket: 'data', Key: 'x' })));

describe('the documented example', () => {
  it('is answered in exactly the documented shape', async () => {
    const { status, body } = await ask({ Token: 'aaa', RoleArn: mainRole });
    expect(status).toBe(200);
    const shape = body.replace(/^<\?xml[^>]*>\s*/, '').replaceAll(/>[^<]+</g, '>…<');
    expect(shape).toBe(
      '<AssumeRoleWithCustomTokenResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">' +
        '<AssumeRoleWithCustomTokenResult>' +
        '<Credentials><AccessKeyId>…</AccessKeyId><SecretAccessKey>…</SecretAccessKey>' +
        '<SessionToken>…</SessionToken><Expiration>…</Expiration></Credentials>' +
        '<AssumedUser>…</AssumedUser>' +
        '</AssumeRoleWithCustomTokenResult>' +
        '<ResponseMetadata><RequestId>…</RequestId></ResponseMetadata>' +
        '</AssumeRoleWithCustomTokenResponse>',
    );
    expect(body).toContain('<AssumedUser>custom:Alice</AssumedUser>');
    expect(webhook.questions).toMatchObject([
      { method: 'POST', target: '/?token=aaa', authorization: secret, contentLength: '0' },
    ]);
  });

  it('is a working session of the provider’s role, named after the user', async () => {
    const keys = credentialsIn(await ask({ Token: 'aaa', RoleArn: mainRole }));
    const s3 = s3Client(sidecar.url, keys, { clock });
    await s3.send(new CreateBucketCommand({ Bucket: 'data' }));
    expect(await put(keys)).toBe('allowed');
    const identity = await stsClient(sidecar.url, keys, clock).send(new GetCallerIdentityCommand({}));
    expect(identity.Arn).toBe(`arn:aws:sts::${account}:assumed-role/idmp-main/Alice`);
    expect(identity.UserId).toMatch(/^AROA[A-Z2-7]{17}:Alice$/);
    expect(identity.Account).toBe(account);
  });

  it('narrows itself, and keeps its name', async () => {
    const keys = credentialsIn(await ask({ Token: 'aaa', RoleArn: mainRole }));
    const narrow = await scopeToReading(sidecar.url, keys, clock);
    expect([await put(keys), await put(narrow), await get(narrow)]).toEqual([
      'allowed',
      'AccessDenied 403',
      'allowed',
    ]);
    const identity = await stsClient(sidecar.url, narrow, clock).send(new GetCallerIdentityCommand({}));
    expect(identity.Arn).toBe(`arn:aws:sts::${account}:assumed-role/idmp-main/Alice`);
  });

  it('works in a form, in JSON, and with any region in the ARN', async () => {
    const form = new URLSearchParams({
      Action: 'AssumeRoleWithCustomToken',
      Version: '2011-06-15',
      Token: 'aaa',
      RoleArn: 'arn:minio:iam:eu-central-1::role/idmp-main',
    });
    const answered = await fetch(sidecar.url, {
      method: 'POST',
      body: form,
      headers: { accept: 'application/json' },
    });
    expect(await answered.json()).toMatchObject({
      AssumeRoleWithCustomTokenResponse: { AssumeRoleWithCustomTokenResult: { AssumedUser: 'custom:Alice' } },
    });
  });

  it('is announced to operators at start-up', () => {
    const told = sidecar.logged.filter((line) => line.includes('generated role'));
    expect(told).toHaveLength(2);
    expect(told[0]).toContain(`"role_arn":"${mainRole}"`);
  });
});

describe('a webhook', () => {
  it('is asked for its own role only, and its users have its policies only', async () => {
    const told = sidecar.logged.find((line) => line.includes('"provider":"by-url"')) ?? '';
    const otherArn = /"role_arn":"([^"]+)"/.exec(told)?.[1] ?? '';
    expect(otherArn).toMatch(/^arn:minio:iam:::role\/idmp-[\w-]{27}$/);
    const keys = credentialsIn(await ask({ Token: 'aaa', RoleArn: otherArn }));
    expect(webhook.questions).toMatchObject([
      { target: '/other?tenant=t&token=aaa', authorization: undefined },
    ]);
    expect(await get(keys)).toBe('allowed');
    expect(await put(keys)).toBe('AccessDenied 403');
  });

  it.each([
    [undefined, 'aaa', 3600],
    [undefined, 'bbb', 900],
    [undefined, 'long', 31_536_000],
    ['3600', 'long', 3600],
    ['1800', 'aaa', 1800],
    ['86400', 'aaa', 3600],
    ['31536000', 'long', 31_536_000],
  ])('grants, for DurationSeconds %s and token %s, %d seconds', async (duration, Token, seconds) => {
    const asked = { Token, RoleArn: mainRole };
    const answer = await ask(duration === undefined ? asked : { ...asked, DurationSeconds: duration });
    expect(Math.abs(lifetimeSeconds(answer) - seconds)).toBeLessThanOrEqual(2);
  });

  it.each([
    ['Zoë', 'Zoé'],
    ['李明', '王芳'],
    [`${'n'.repeat(64)}1`, `${'n'.repeat(64)}2`],
  ])('never makes one principal of the users %s and %s', async (...users) => {
    const principals = new Set<string>();
    for (const user of users) {
      webhook.answerWith((_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ user, maxValiditySeconds: 3600 }));
        return true;
      });
      const keys = credentialsIn(await ask({ Token: 'aaa', RoleArn: mainRole }));
      const { Arn, UserId } = await stsClient(sidecar.url, keys, clock).send(
        new GetCallerIdentityCommand({}),
      );
      principals.add(Arn ?? '').add(UserId ?? '');
    }
    expect(principals.size).toBe(4);
  });

  it('that denies is quoted, with a status that SDKs do not repeat', async () => {
    expect(await ask({ Token: 'wrong', RoleArn: mainRole })).toMatchObject({
      status: 403,
      code: 'AccessDenied',
      message: 'Invalid token',
    });
  });

  it.each<[string, number, string, string]>([
    ['is out of order', 503, '{}', 'IDPCommunicationError 400'],
    ['answers something else', 200, '{"user":"Alice"}', 'InvalidIdentityToken 400'],
    ['does not know the sidecar', 401, '{}', 'InvalidIdentityToken 400'],
  ])('that %s proves no identity', async (_, code, text, expected) => {
    webhook.answerWith((_request, response) => {
      response.writeHead(code, { 'content-type': 'application/json' }).end(text);
      return true;
    });
    const answer = await ask({ Token: 'aaa', RoleArn: mainRole });
    expect(`${answer.code} ${answer.status}`).toBe(expected);
  });

  it.each([
    ['arn:minio:iam:::role/idmp-other', 'AccessDenied 403'],
    ['arn:minio:iam:::role/main', 'AccessDenied 403'],
    [`arn:minio:iam::${account}:role/idmp-main`, 'AccessDenied 403'],
    [roleArn('data'), 'AccessDenied 403'],
    [roleArn('idmp-main'), 'AccessDenied 403'],
    ['"external-auth-provider"', 'ValidationError 400'],
    [`arn:aws:sts::${account}:assumed-role/idmp-main/Alice`, 'ValidationError 400'],
  ])('is not asked for the role %s', async (RoleArn, expected) => {
    const { code, status } = await ask({ Token: 'aaa', RoleArn });
    expect(`${code} ${status}`).toBe(expected);
    expect(webhook.questions).toEqual([]);
  });

  it.each<[Record<string, string>, string]>([
    [{ RoleArn: mainRole }, "Value null at 'token' failed to satisfy constraint: Member must not be null"],
    [{ Token: 'aaa' }, "Value null at 'roleArn' failed to satisfy constraint: Member must not be null"],
    [
      { Token: 'aaa', RoleArn: mainRole, DurationSeconds: '899' },
      "Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900",
    ],
    [
      { Token: '', RoleArn: mainRole },
      "Value '***' at 'token' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ],
  ])('is not asked when constraints are violated: %j', async (parameters, message) => {
    const answer = await ask(parameters);
    expect(answer).toMatchObject({
      code: 'ValidationError',
      status: 400,
      message: `1 validation error detected: ${message}`,
    });
    expect(webhook.questions).toEqual([]);
  });

  it('takes no session policies', async () => {
    const answer = await ask({ Token: 'aaa', RoleArn: mainRole, Policy: '{}' });
    expect(answer.code).toBe('InvalidParameterCombination');
    expect(webhook.questions).toEqual([]);
  });
});

describe('the role of a webhook', () => {
  it('cannot be assumed with an access key, whatever the owner may do', async () => {
    for (const RoleArn of [mainRole, 'arn:minio:iam:us-east-1::role/idmp-main', roleArn('idmp-main')]) {
      const asked = stsClient(sidecar.url, alice, clock).send(
        new AssumeRoleCommand({ RoleArn, RoleSessionName: 'alice' }),
      );
      expect(await outcome(asked)).toMatch(/^(?:AccessDenied 403|ValidationError 400)$/);
    }
    expect(await outcome(assume(sidecar.url, alice, 'data', {}, clock))).toBe('allowed');
  });

  it('can assume roles that trust the account, as its policies allow', async () => {
    const keys = credentialsIn(await ask({ Token: 'aaa', RoleArn: mainRole }));
    const chained = await stsClient(sidecar.url, keys, clock).send(
      new AssumeRoleCommand({ RoleArn: roleArn('data'), RoleSessionName: 'next' }),
    );
    expect(chained.AssumedRoleUser?.Arn).toBe(`arn:aws:sts::${account}:assumed-role/data/next`);
  });

  it('and its sessions end with the provider, and with the webhook that is asked', async () => {
    const keys = credentialsIn(await ask({ Token: 'aaa', RoleArn: mainRole }));
    const same = await startSidecar({ clock, tokenKey, directory: directory(webhook.url) });
    const elsewhere = await startSidecar({ clock, tokenKey, directory: directory(`${webhook.url}/new`) });
    const without = await startSidecar({ clock, tokenKey, directory: `directory:${policies}` });
    expect(await put(keys, same.url)).toBe('NoSuchBucket 404');
    expect(await put(keys, elsewhere.url)).toBe('InvalidToken 400');
    expect(await put(keys, without.url)).toBe('InvalidToken 400');
    await Promise.all([same.stop(), elsewhere.stop(), without.stop()]);
  });

  it('leaves neither the token nor the secret of the webhook in the log', async () => {
    await ask({ Token: 'a-very-secret-token', RoleArn: mainRole });
    webhook.answerWith((request) => {
      request.socket.destroy();
      return true;
    });
    await ask({ Token: 'a-very-secret-token', RoleArn: mainRole });
    await ask({ Token: 'a-very-secret-token', RoleArn: mainRole, DurationSeconds: '1' });
    await expect.poll(() => sidecar.logged.join('')).toContain('"operation":"custom_token"');
    const logged = sidecar.logged.join('');
    expect(logged).not.toContain('a-very-secret-token');
    expect(logged).not.toContain('token=aaa');
    expect(logged).not.toContain('of-the-sidecar');
  });
});

describe('a webhook that is down at start', () => {
  it('only causes a warning', async () => {
    const gone = await startWebhook();
    await gone.stop();
    const started = await startSidecar({ clock, directory: directory(gone.url) });
    await expect.poll(() => started.logged.join('')).toContain('"operation":"probe"');
    expect((await ask({ Token: 'aaa', RoleArn: mainRole }, started.url)).code).toBe('IDPCommunicationError');
    await started.stop();
  });
});
