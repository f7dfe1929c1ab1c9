import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import { expect, it } from 'vitest';
import { recordsOf } from '../support/audit.ts';
import { startAuditCollector } from '../support/audit-collector.ts';
import { auditedDirectory, root } from '../support/audited-world.ts';
import { startLogCollector } from '../support/log-collector.ts';
import { postForm } from '../support/post-form.ts';
import { assume, outcome, s3Client, stsClient } from '../support/sdk.ts';
import { alice, roleArn, startSidecar } from '../support/sidecar.ts';
import { presignWithSmithy } from '../support/smithy-signer.ts';
import { exportingTo, startSpanCollector } from '../support/span-collector.ts';

const planted: string[] = [];

/** A secret that no output may have, with the place where it is sent. */
function secret(place: string): string {
  const text = `SEED${planted.length}${place}${'s'.repeat(24)}`;
  planted.push(text);
  return text;
}

it('no record of any sink, line of the log or span has a secret, wherever in a request it stands', async () => {
  const collector = await startAuditCollector();
  const spanCollector = await startSpanCollector();
  const logCollector = await startLogCollector();
  const folder = await mkdtemp(join(tmpdir(), 'audit-secrets-'));
  const path = join(folder, 'audit.log');
  const collectorKey = secret('collector');
  const sidecar = await startSidecar({
    directory: auditedDirectory,
    variables: {
      ROOT: root.secretAccessKey,
      COLLECTOR: collectorKey,
      ...exportingTo(spanCollector.url),
      OTEL_EXPORTER_OTLP_HEADERS: `x-key=${secret('spans')}`,
    },
    further: `audit: { stdout: true, file: "${path}", webhook: { url: "${collector.url}", headers: { x-key: { env: COLLECTOR } } }, otlp: { url: "${logCollector.url}/v1/logs", headers: { x-key: { env: COLLECTOR } } } }`,
  });
  const { url } = sidecar;
  const session = await assume(url, alice, 'teams/data');
  planted.push(session.secretAccessKey, session.sessionToken, alice.secretAccessKey, root.secretAccessKey);
  const s3 = s3Client(url, session);
  await s3.send(new CreateBucketCommand({ Bucket: 'data' }));

  // Customer keys, metadata and tags of an object.
  const customerKey = createHash('sha256').update('customer').digest();
  planted.push(customerKey.toString('base64'));
  await outcome(
    s3.send(
      new PutObjectCommand({
        Bucket: 'data',
        Key: 'k',
        Body: secret('body'),
        Metadata: { token: secret('metadata') },
        SSECustomerAlgorithm: 'AES256',
        SSECustomerKey: customerKey.toString('base64'),
      }),
    ),
  );
  await outcome(
    s3.send(new PutObjectCommand({ Bucket: 'data', Key: 'k', Tagging: `t=${secret('tagging')}` })),
  );
  await postForm(url, session, { key: 'form' });

  // Presigned URLs: a good one, and ones that are refused.
  const { host } = new URL(url);
  const wire = await presignWithSmithy(
    { method: 'GET', path: '/data/k', query: {}, headers: { host } },
    session,
    { expiresIn: 60 },
  );
  planted.push(/X-Amz-Signature=([0-9a-f]{64})/.exec(wire.target)?.[1] ?? 'no signature was found');
  await fetch(`${url}${wire.target}`);
  await fetch(`${url}${wire.target.replace('/data/k', '/data/other')}`);
  for (const query of [
    `X-Amz-Signature=${secret('signature')}`,
    `X-Amz-Security-Token=${secret('token')}`,
    `AWSAccessKeyId=AKIA&Signature=${secret('v2')}&Expires=1`,
    `X-Amz-Credential=${secret('credential')}&X-Amz-Signature=${secret('signature')}`,
    `versionId=v1&token=${secret('query')}`,
  ])
    await fetch(`${url}/data/k?${query}`);

  // Headers of requests that are refused.
  for (const headers of [
    { authorization: `Bearer ${secret('bearer')}` },
    { authorization: `Basic ${secret('basic')}` },
    { authorization: `AWS4-HMAC-SHA256 Credential=${secret('malformed')}` },
    { authorization: `AWS AKIA:${secret('v2header')}` },
    { 'x-amz-security-token': secret('token') },
    { cookie: `session=${secret('cookie')}` },
    { traceparent: secret('traceparent') },
    { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00-${secret('traceparent')}` },
    { tracestate: `v=${secret('tracestate')}` },
    { baggage: `token=${secret('baggage')}` },
    { referer: `https://example.com/?token=${secret('referer')}` },
    { 'x-amz-server-side-encryption-customer-key': secret('key') },
    { 'x-amz-copy-source-server-side-encryption-customer-key': secret('key') },
    { expect: secret('expectation') },
  ])
    await fetch(`${url}/data/k`, { headers }).catch(() => undefined);

  // Parameters of STS, also in places where they do not belong.
  const call = (parameters: Readonly<Record<string, string>>, method = 'POST'): Promise<unknown> => {
    const form = new URLSearchParams({ Version: '2011-06-15', ...parameters }).toString();
    return method === 'POST'
      ? fetch(url, { method, body: form, headers: { 'content-type': 'application/x-www-form-urlencoded' } })
      : fetch(`${url}/?${form}`);
  };
  const RoleArn = roleArn('teams/data');
  const token = (place: string): string => `e30.${Buffer.from(secret(place)).toString('base64url')}.AAAA`;
  for (const method of ['POST', 'GET']) {
    for (const parameters of [
      {
        Action: 'AssumeRoleWithWebIdentity',
        RoleArn,
        RoleSessionName: 'app',
        WebIdentityToken: secret('jwt'),
      },
      {
        Action: 'AssumeRoleWithWebIdentity',
        RoleArn,
        RoleSessionName: 'app',
        WebIdentityToken: token('jwt'),
      },
      {
        Action: 'AssumeRoleWithWebIdentity',
        RoleArn,
        RoleSessionName: secret('name').repeat(4),
        WebIdentityToken: 'x',
      },
      { Action: 'AssumeRoleWithSAML', RoleArn, PrincipalArn: RoleArn, SAMLAssertion: secret('assertion') },
      { Action: 'AssumeRoleWithCustomToken', RoleArn: 'arn:minio:iam:::role/x', Token: secret('custom') },
      { Action: 'GetCallerIdentity', Password: secret('password') },
    ])
      await call(parameters, method);
  }
  const sts = stsClient(url, alice);
  const SerialNumber = 'arn:aws:iam::123456789012:mfa/alice';
  for (const code of ['135790', secret('code')]) {
    const parameters = { RoleArn, RoleSessionName: 'app', SerialNumber, TokenCode: code };
    await outcome(sts.send(new AssumeRoleCommand(parameters)));
  }
  planted.push('135790');
  await outcome(
    s3Client(url, { ...session, sessionToken: secret('token') }).send(
      new GetObjectCommand({ Bucket: 'data', Key: 'k' }),
    ),
  );

  await expect.poll(() => collector.records.length).toBe(recordsOf(sidecar.logged.join('')).length);
  await sidecar.stop();
  await collector.stop();
  await spanCollector.stop();
  await logCollector.stop();
  const outputs = {
    log: sidecar.logged.join(''),
    file: await readFile(path, 'utf8'),
    webhook: collector.requests.map(({ body }) => body).join(''),
    otlp: logCollector.bodies.join(''),
    spans: spanCollector.requests.map(({ body }) => body.toString()).join(''),
  };
  await rm(folder, { recursive: true });
  expect(recordsOf(outputs.file).length).toBeGreaterThan(30);
  expect(logCollector.logRecords.length).toBe(collector.records.length);
  expect(spanCollector.spans.length).toBeGreaterThan(30);
  for (const [name, text] of Object.entries(outputs)) {
    const found = planted.filter(
      (one) => text.includes(one) || text.includes(Buffer.from(one).toString('base64url')),
    );
    expect({ name, found }).toEqual({ name, found: [] });
  }
});
