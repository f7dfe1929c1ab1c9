import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alice, roleArn, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { signWithSmithy } from '../support/smithy-signer.ts';
import { exchange, toBytes } from '../support/wire.ts';

let sidecar: TestSidecar;
beforeAll(async () => {
  sidecar = await startSidecar({ server: '  virtualHosts: [s3.example.internal]' });
});
afterAll(() => sidecar.stop());

const form = (fields: Record<string, string>): string =>
  new URLSearchParams({ Version: '2011-06-15', ...fields }).toString();
const assume = { Action: 'AssumeRole', RoleArn: roleArn('data'), RoleSessionName: 'wire' };

interface Call {
  readonly body?: string;
  readonly query?: Record<string, string>;
  readonly headers?: Record<string, string>;
  readonly method?: string;
  readonly service?: string;
  readonly nowMs?: number;
  readonly secret?: string;
}

async function call({
  body = '',
  query = {},
  headers = {},
  method = 'POST',
  service = 'sts',
  nowMs = Date.now(),
  secret,
}: Call): Promise<string> {
  const wire = await signWithSmithy(
    {
      method,
      path: '/',
      query,
      headers: {
        host: new URL(sidecar.url).host,
        'content-type': 'application/x-www-form-urlencoded',
        'content-length': String(Buffer.byteLength(body)),
        'x-amz-content-sha256': createHash('sha256').update(body).digest('hex'),
        ...headers,
      },
    },
    { ...alice, ...(secret === undefined ? {} : { secretAccessKey: secret }) },
    { service, nowMs },
  );
  return exchange(sidecar.url, toBytes(wire, body));
}

const code = (answer: string): string =>
  `${/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]} ${/(?:<Code>|"Code":")(\w+)/.exec(answer)?.[1] ?? ''}`.trim();

describe('STS on the S3 port', () => {
  it('answers in XML, with parameters in the body, in the query, or in both', async () => {
    for (const request of [
      { body: form(assume) },
      { query: { Version: '2011-06-15', ...assume }, method: 'GET' },
      {
        query: { Version: '2011-06-15', Action: 'AssumeRole' },
        body: new URLSearchParams({ RoleArn: assume.RoleArn, RoleSessionName: 'wire' }).toString(),
      },
    ]) {
      const answer = await call(request);
      expect(code(answer)).toBe('200');
      expect(answer).toContain('<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">');
      expect(answer).toMatch(/<Expiration>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ<\/Expiration>/);
      expect(answer.toLowerCase()).toContain('x-amzn-requestid: ');
    }
  });

  it('answers in JSON when asked to', async () => {
    const answer = await call({
      body: form({ Action: 'GetCallerIdentity' }),
      headers: { accept: 'application/json' },
    });
    const parsed: unknown = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));
    expect(parsed).toMatchObject({
      GetCallerIdentityResponse: { GetCallerIdentityResult: { Account: '123456789012' } },
    });
    expect(
      code(await call({ body: form({ Action: 'Nope' }), headers: { accept: 'application/json' } })),
    ).toBe('400 InvalidAction');
  });

  it('is never passed to the store', async () => {
    const before = sidecar.seen.length;
    await call({ body: form({ Action: 'CreateUser', UserName: 'x' }) });
    await call({ query: { Action: 'CreateUser' }, method: 'GET' });
    await call({ query: { Action: 'CreateUser' }, service: 's3', method: 'GET' });
    expect(sidecar.seen.length).toBe(before);
  });

  it.each<[string, string, Call]>([
    ['an unknown action', '400 InvalidAction', { body: form({ Action: 'Nope' }) }],
    [
      'an action that AWS does not have',
      '400 InvalidAction',
      { body: form({ Action: 'AssumeRoleWithLDAPIdentity' }) },
    ],
    ['another API version', '400 InvalidAction', { body: 'Action=AssumeRole&Version=2010-01-01' }],
    ['no action', '400 MissingAction', { body: 'Version=2011-06-15' }],
    ['a parameter twice', '400 InvalidQueryParameter', { body: `${form(assume)}&RoleArn=x` }],
    [
      'a parameter in query and body',
      '400 InvalidQueryParameter',
      { body: form(assume), query: { RoleArn: 'x' } },
    ],
    ['a body that is not a form', '404 MalformedQueryString', { body: '{"Action":"AssumeRole"}' }],
    ['missing parameters', '400 ValidationError', { body: form({ Action: 'AssumeRole' }) }],
    [
      'a malformed session policy',
      '400 MalformedPolicyDocument',
      { body: form({ ...assume, Policy: '{"Version":"2012-10-17"' }) },
    ],
    [
      'an operator that does not exist',
      '400 MalformedPolicyDocument',
      {
        body: form({
          ...assume,
          Policy:
            '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"DateBefore":{"aws:CurrentTime":"2030-01-01T00:00:00Z"}}}]}',
        }),
      },
    ],
    [
      'tags that the trust policy lets no caller set',
      '403 AccessDenied',
      { body: form({ ...assume, 'Tags.member.1.Key': 'a', 'Tags.member.1.Value': 'b' }) },
    ],
    [
      'an oversize body',
      '413 RequestEntityTooLarge',
      { body: form({ ...assume, Padding: 'x'.repeat(300_000) }) },
    ],
    ['a wrong secret', '403 SignatureDoesNotMatch', { body: form(assume), secret: 'wrong-secret' }],
    ['a skewed clock', '403 SignatureDoesNotMatch', { body: form(assume), nowMs: Date.now() - 1_000_000 }],
    ['a signature for S3', '400 IncompleteSignature', { body: form(assume), service: 's3' }],
    [
      'an unsigned body',
      '403 SignatureDoesNotMatch',
      { body: form(assume), headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } },
    ],
    [
      'a digest of another body',
      '403 SignatureDoesNotMatch',
      { body: form(assume), headers: { 'x-amz-content-sha256': 'a'.repeat(64) } },
    ],
  ])('refuses %s with %s', async (_, expected, request) => {
    expect(code(await call(request))).toBe(expected);
  });

  it('refuses unsigned calls, and signatures of version 2', async () => {
    const { host } = new URL(sidecar.url);
    const body = form(assume);
    const fields = `content-type: application/x-www-form-urlencoded\r\ncontent-length: ${body.length}\r\nconnection: close`;
    const unsigned = await exchange(
      sidecar.url,
      `POST / HTTP/1.1\r\nhost: ${host}\r\n${fields}\r\n\r\n${body}`,
    );
    expect(code(unsigned)).toBe('403 MissingAuthenticationToken');
    const v2 = await exchange(
      sidecar.url,
      `POST / HTTP/1.1\r\nhost: ${host}\r\nauthorization: AWS a:b\r\n${fields}\r\n\r\n${body}`,
    );
    expect(code(v2)).toMatch(/^40[03] \w+/);
  });

  it('is not on the host of a bucket', async () => {
    const answer = await exchange(
      sidecar.url,
      'GET /?Action=GetCallerIdentity HTTP/1.1\r\nhost: bucket.s3.example.internal\r\nconnection: close\r\n\r\n',
    );
    expect(code(answer)).toBe('403 AccessDenied');
  });
});
