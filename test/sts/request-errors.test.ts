import { describe, expect, it } from 'vitest';
import { isStsRequest, maxStsBodyBytes } from '../../src/sts/query-request.ts';
import { testNowMs, toRawRequest } from '../support/raw-requests.ts';
import {
  arrive,
  assumeRoleForm,
  buildWorld,
  dependenciesOf,
  elementText,
  identityForm,
  keyOf,
  type Outcome,
  type SendOptions,
  serve,
  trust,
  userArn,
  version,
} from './support/sts-fixture.ts';

const world = buildWorld({ users: { alice: {} }, roles: { direct: { trust: trust(userArn('alice')) } } });
const dependencies = dependenciesOf(world);
const alice = keyOf('alice');

async function send(
  form: Readonly<Record<string, string>>,
  options: SendOptions = {},
  credentials: typeof alice | null = alice,
): Promise<Outcome> {
  return serve(await arrive(form, credentials ?? undefined, options), dependencies);
}

const answer = ({ code, response }: Outcome): [string, number] => [code, response.status];

describe('the place of parameters', () => {
  const form = assumeRoleForm('direct');

  it('is the body, the query, or both', async () => {
    expect(answer(await send(form))).toEqual(['', 200]);
    expect(answer(await send({}, { query: form }))).toEqual(['', 200]);
    expect(answer(await send({}, { method: 'GET', query: form }))).toEqual(['', 200]);
    const { Action = '', Version = '', ...rest } = form;
    expect(answer(await send(rest, { query: { Action, Version } }))).toEqual(['', 200]);
  });

  it('is not both for one name', async () => {
    const outcome = await send(form, { query: { RoleArn: 'arn:aws:iam::123456789012:role/other' } });
    expect(answer(outcome)).toEqual(['InvalidQueryParameter', 400]);
    const body = `${new URLSearchParams(form).toString()}&RoleArn=x`;
    expect(answer(await send({}, { body }))).toEqual(['InvalidQueryParameter', 400]);
    // Spelled differently, it is the same name.
    expect(answer(await send({}, { body: `${body.replace(/&RoleArn=x$/, '')}&Role%41rn=x` }))).toEqual([
      'InvalidQueryParameter',
      400,
    ]);
  });

  it.each([
    ['a broken escape', 'Action=%zz'],
    ['bytes that are not UTF-8', 'Action=%ff'],
    ['NUL', 'Action=%00'],
    ['a name without a value', 'Action'],
    ['JSON', '{"Action":"GetCallerIdentity"}'],
    ['an empty name', '=x'],
  ])('refuses a body that is not a form: %s', async (_, body) => {
    expect(answer(await send({}, { body }))).toEqual(['MalformedQueryString', 404]);
  });

  it.each(['a[x]', 'Tags[0].Key', 'Role Arn', 'Rôle', '<b>', ''])(
    'refuses the name %j, in the body and in the query',
    async (name) => {
      const named = { [name]: 'x' };
      expect(answer(await send({ ...identityForm, ...named }))).toEqual(['MalformedQueryString', 404]);
      expect(answer(await send(identityForm, { query: named }))).toEqual(['MalformedQueryString', 404]);
    },
  );

  it('refuses bodies of another type', async () => {
    const headers = { 'content-type': 'application/json' };
    const outcome = await send(identityForm, { headers, query: {} });
    expect(answer(outcome)).toEqual(['MalformedQueryString', 404]);
  });

  it('limits the number of parameters and the size of the body', async () => {
    const many = (count: number): Record<string, string> =>
      Object.fromEntries(Array.from({ length: count - 2 }, (_, index) => [`Ignored${index}`, '']));
    expect(answer(await send({ ...identityForm, ...many(1000) }))).toEqual(['', 200]);
    expect(answer(await send({ ...identityForm, ...many(1001) }))).toEqual(['ValidationError', 400]);
    const padding = 'x'.repeat(
      maxStsBodyBytes - new URLSearchParams({ ...identityForm, Pad: '' }).toString().length,
    );
    expect(answer(await send({ ...identityForm, Pad: padding }))).toEqual(['', 200]);
    expect(answer(await send({ ...identityForm, Pad: `${padding}x` }))).toEqual([
      'RequestEntityTooLarge',
      413,
    ]);
  });

  it('refuses other methods', async () => {
    expect(answer(await send({}, { method: 'PUT', query: identityForm }))).toEqual(['MethodNotAllowed', 405]);
  });
});

describe('the action', () => {
  it('must be there, in this version of the API', async () => {
    expect(answer(await send({ Version: version }))).toEqual(['MissingAction', 400]);
    expect(answer(await send({ Action: '', Version: version }))).toEqual(['MissingAction', 400]);
    const other = await send({ Action: 'GetCallerIdentity', Version: '2010-01-01' });
    expect(answer(other)).toEqual(['InvalidAction', 400]);
    expect(other.message).toBe('Could not find operation GetCallerIdentity for version 2010-01-01');
    const none = await send({ Action: 'GetCallerIdentity' });
    expect(none.message).toBe('Could not find operation GetCallerIdentity for version NO_VERSION_SPECIFIED');
  });

  it.each(['Nonsense', 'getcalleridentity', 'constructor', '__proto__', 'toString'])(
    'must exist: %s',
    async (name) => {
      const outcome = await send({ Action: name, Version: version });
      expect(answer(outcome)).toEqual(['InvalidAction', 400]);
      expect(outcome.message).toBe(`Could not find operation ${name} for version 2011-06-15`);
      expect(outcome.facts.operation).toBeUndefined();
    },
  );

  it.each(['AssumeRoleWithLDAPIdentity', 'AssumeRoleWithCertificate', 'AssumeRoot'])(
    'does not exist yet, unsigned or not: %s',
    async (name) => {
      const outcome = await send({ Action: name, Version: version }, {}, null);
      expect(answer(outcome)).toEqual(['InvalidAction', 400]);
    },
  );
});

describe('the caller', () => {
  it('must sign', async () => {
    expect(answer(await send(identityForm, {}, null))).toEqual(['MissingAuthenticationToken', 403]);
  });

  it('must be known and know the secret', async () => {
    const unknown = await send(identityForm, {}, { ...alice, accessKeyId: 'AKIAUNKNOWNXXXXXXXXX' });
    expect(answer(unknown)).toEqual(['InvalidClientTokenId', 403]);
    expect(unknown.message).toBe('The security token included in the request is invalid.');
    const wrong = await send(identityForm, {}, { ...alice, secretAccessKey: 'guess' });
    expect(answer(wrong)).toEqual(['SignatureDoesNotMatch', 403]);
    expect(wrong.facts.principalArn).toBeUndefined();
  });

  it('must not sign with a foreign token', async () => {
    const foreign = { ...alice, accessKeyId: 'ASIAUNKNOWNXXXXXXXXX', sessionToken: 'not-one-of-ours' };
    expect(answer(await send(identityForm, {}, foreign))).toEqual(['InvalidClientTokenId', 403]);
    const added = { ...alice, sessionToken: 'not-one-of-ours' };
    expect(answer(await send(identityForm, {}, added))).toEqual(['InvalidClientTokenId', 403]);
  });

  it('must sign for STS', async () => {
    expect(answer(await send(identityForm, { service: 's3' }))).toEqual(['IncompleteSignature', 400]);
  });

  it('may sign for any region, or none', async () => {
    for (const region of ['eu-west-3', 'anywhere']) {
      expect(answer(await send(identityForm, { region }))).toEqual(['', 200]);
    }
  });

  it('may be limited to some regions', async () => {
    const authentication = { ...dependencies.authentication, allowedRegions: new Set(['us-east-1']) };
    const arrival = await arrive(identityForm, alice, { region: 'eu-west-3' });
    const outcome = await serve(arrival, { ...dependencies, authentication });
    expect(answer(outcome)).toEqual(['RegionDisabledException', 403]);
  });

  it('must have a clock that is right within 15 minutes', async () => {
    for (const offset of [-900_000, 900_000]) {
      expect(answer(await send(identityForm, { signedAtMs: testNowMs + offset }))).toEqual(['', 200]);
    }
    for (const offset of [-901_000, 901_000]) {
      const outcome = await send(identityForm, { signedAtMs: testNowMs + offset });
      expect(answer(outcome)).toEqual(['SignatureDoesNotMatch', 403]);
      expect(outcome.message).toMatch(offset < 0 ? /^Signature expired: / : /^Signature not yet current: /);
    }
  });

  it('must have signed this body, these headers and this query', async () => {
    const { raw, body } = await arrive(assumeRoleForm('direct'), alice);
    const changed = Buffer.from(body.toString().replace('tester', 'intrud'));
    expect(answer(await serve({ raw, body: changed }, dependencies))).toEqual(['SignatureDoesNotMatch', 403]);
    const moved = await arrive({}, alice, { method: 'GET', query: assumeRoleForm('direct') });
    const parameters = moved.raw.parameters.map((parameter) =>
      parameter.name === 'RoleSessionName' ? { ...parameter, value: 'other', rawValue: 'other' } : parameter,
    );
    const other = await serve({ raw: { ...moved.raw, parameters }, body: moved.body }, dependencies);
    expect(answer(other)).toEqual(['SignatureDoesNotMatch', 403]);
  });

  it('must sign every x-amz header', async () => {
    const { raw, body } = await arrive(identityForm, alice);
    const headers = [
      ...[...raw.headers].flatMap(({ name, value }) => [name, value]),
      'x-amz-meta-added',
      'x',
    ];
    const added = toRawRequest({
      method: 'POST',
      target: '/',
      headers: headers.flatMap((name, index) =>
        index % 2 === 0 ? [[name, headers[index + 1] ?? ''] as const] : [],
      ),
    });
    if (added === undefined) throw new Error('unreadable');
    const outcome = await serve({ raw: added, body }, dependencies);
    expect(answer(outcome)).toEqual(['SignatureDoesNotMatch', 403]);
    expect(outcome.message).toBe("'X-Amz-Meta-Added' must be a 'SignedHeader' in the AWS Authorization.");
  });

  it.each([
    'UNSIGNED-PAYLOAD',
    'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    '0'.repeat(64),
    'nonsense',
  ])('must not declare %s as the digest of the body', async (declared) => {
    const outcome = await send(identityForm, { headers: { 'x-amz-content-sha256': declared } });
    expect(answer(outcome)).toEqual(['SignatureDoesNotMatch', 403]);
  });

  it('is answered in XML when it asks for JSON after more types than are read', async () => {
    const types = (count: number): string => `${'text/plain,'.repeat(count)}application/json`;
    const told = async (accept: string): Promise<string | undefined> =>
      (await send(identityForm, { headers: { accept } })).response.body[0];
    expect([await told(types(15)), await told(types(16))]).toEqual(['{', '<']);
  });

  it('is told who it is in JSON when it asks for JSON', async () => {
    const outcome = await send(identityForm, { headers: { accept: 'application/json' } });
    expect(JSON.parse(outcome.response.body)).toEqual({
      GetCallerIdentityResponse: {
        GetCallerIdentityResult: { Arn: userArn('alice'), UserId: 'AIDAALICE', Account: '123456789012' },
        ResponseMetadata: { RequestId: 'TEST' },
      },
    });
  });
});

describe('GetCallerIdentity', () => {
  it('answers under an explicit deny of everything', async () => {
    const deny = { Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action: '*', Resource: '*' }] };
    const silenced = dependenciesOf(buildWorld({ users: { alice: { inline: [deny] } } }));
    const outcome = await serve(await arrive(identityForm, alice), silenced);
    expect(elementText(outcome.response.body, 'Arn')).toBe(userArn('alice'));
    expect(outcome.facts).toEqual({
      operation: 'GetCallerIdentity',
      principalArn: userArn('alice'),
      accessKeyId: alice.accessKeyId,
    });
  });

  it.each([
    ['Policy', '{}'],
    ['PolicyArns.member.1.arn', 'arn:aws:iam::123456789012:policy/p'],
    ['PolicyArns', ''],
  ])('does not take session policies: %s', async (name, value) => {
    expect(answer(await send({ ...identityForm, [name]: value }))).toEqual([
      'InvalidParameterCombination',
      400,
    ]);
  });
});

describe('dispatch', () => {
  const arrival = (method: string, target: string, headers: Record<string, string> = {}): boolean => {
    const raw = toRawRequest({ method, target, headers: Object.entries(headers) });
    return raw !== undefined && isStsRequest(raw);
  };
  const form = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
  const authorization = (service: string): Record<string, string> => ({
    authorization: `AWS4-HMAC-SHA256 Credential=AKIA/20261122//${service}/aws4_request, SignedHeaders=host, Signature=0`,
  });

  it('takes a query action, a posted form, and whatever is signed for STS', () => {
    expect(arrival('GET', '/?Action=GetCallerIdentity')).toBe(true);
    expect(arrival('POST', '/', form)).toBe(true);
    expect(arrival('GET', '/', { ...form, 'content-length': '9' })).toBe(true);
    expect(arrival('GET', '/', { ...form, 'transfer-encoding': 'chunked' })).toBe(true);
    expect(arrival('GET', '/', authorization('sts'))).toBe(true);
    expect(arrival('GET', '/?X-Amz-Credential=AKIA%2F20261122%2F%2Fsts%2Faws4_request')).toBe(true);
  });

  it('leaves everything else to S3', () => {
    expect(arrival('GET', '/')).toBe(false);
    expect(arrival('GET', '/', authorization('s3'))).toBe(false);
    expect(arrival('GET', '/?action=GetCallerIdentity')).toBe(false);
    expect(arrival('PUT', '/', form)).toBe(false);
    expect(arrival('GET', '/', form)).toBe(false);
    expect(arrival('GET', '/', { ...form, 'content-length': '0' })).toBe(false);
    expect(arrival('POST', '/bucket', form)).toBe(false);
    expect(arrival('GET', '/bucket?Action=GetCallerIdentity', authorization('sts'))).toBe(false);
    expect(arrival('GET', '//?Action=GetCallerIdentity')).toBe(false);
  });
});
