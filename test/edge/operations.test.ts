import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListBucketsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requestsInFlight } from '../support/in-flight.ts';
import { openDirectory } from '../support/open-directory.ts';
import { assume, outcome, s3Client, stsClient } from '../support/sdk.ts';
import { alice, bob, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { openSigned, readAll } from '../support/signed-socket.ts';

let sidecar: TestSidecar;
beforeAll(async () => {
  sidecar = await startSidecar();
});
afterAll(() => sidecar.stop());

async function metrics(of: TestSidecar = sidecar): Promise<string> {
  return (await fetch(`${of.adminUrl}/metrics`)).text();
}

describe('the admin port', () => {
  it('answers health and metrics, and nothing else', async () => {
    for (const path of ['/livez', '/readyz', '/metrics']) {
      expect((await fetch(sidecar.adminUrl + path)).status).toBe(200);
    }
    expect((await fetch(`${sidecar.adminUrl}/data/key`)).status).toBe(404);
    expect((await fetch(`${sidecar.adminUrl}/livez`, { method: 'POST' })).status).toBe(405);
  });

  // Bodies in chunks of one byte, which Node read for ten seconds, made callers of the S3 port wait.
  it.each(['POST /livez', 'GET /metrics'])('closes the connection of %s with a body', async (request) => {
    const { hostname, port } = new URL(sidecar.adminUrl);
    const socket = connect(Number(port), hostname);
    socket.write(`${request} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n`);
    expect(await readAll(socket)).toMatch(/\r\nconnection: close\r\n/i);
  });

  it.each(['/livez', '/readyz', '/metrics', '/other'])(
    'keeps the connection of GET %s without a body',
    async (path) => {
      const { headers } = await fetch(sidecar.adminUrl + path);
      expect(headers.get('connection')).toBe('keep-alive');
    },
  );

  it('is not on the S3 port', async () => {
    for (const path of ['/livez', '/readyz', '/metrics']) {
      expect((await fetch(sidecar.url + path)).status).toBe(403);
    }
  });

  it('counts requests, decisions, failures and durations', async () => {
    const s3 = s3Client(sidecar.url, await assume(sidecar.url, alice, 'reader'));
    await outcome(s3.send(new PutObjectCommand({ Bucket: 'data', Key: 'x', Body: 'x' })));
    await outcome(
      s3Client(sidecar.url, { ...bob, secretAccessKey: 'wrong-secret' }).send(new ListBucketsCommand({})),
    );
    await stsClient(sidecar.url, alice).send(new GetCallerIdentityCommand({}));
    const text = await metrics();
    for (const line of [
      'sts_sidecar_s3_requests_total{operation="PutObject",code="403"} 1',
      'sts_sidecar_authz_decisions_total{operation="PutObject",decision="deny",policy_type="identity",enforced="true"} 1',
      'sts_sidecar_authn_failures_total{reason="signature_mismatch"} 1',
      'sts_sidecar_sts_requests_total{action="AssumeRole",provider="",code="200"} 1',
      'sts_sidecar_credentials_issued_total{action="AssumeRole",provider=""} 1',
      'sts_sidecar_sts_requests_total{action="GetCallerIdentity",provider="",code="200"} 1',
      'sts_sidecar_s3_request_duration_seconds_count{operation="PutObject"} 1',
      'sts_sidecar_policies{kind="managed"} 3',
    ]) {
      expect(text).toContain(line);
    }
    expect(text).toMatch(/sts_sidecar_build_info\{version="\d+\.\d+\.\d+"/);
  });

  it('gains no series from keys, buckets, access keys, actions or parameters', async () => {
    const s3 = s3Client(sidecar.url, alice);
    const series = async (): Promise<number> =>
      (await metrics()).split('\n').filter((line) => line.startsWith('sts_sidecar_')).length;
    const random = (): string => randomBytes(8).toString('hex');
    const touch = async (): Promise<void> => {
      await outcome(s3.send(new GetObjectCommand({ Bucket: `b-${random()}`, Key: random() })));
      await outcome(
        s3Client(sidecar.url, { ...alice, accessKeyId: `AKIA${random().toUpperCase()}` }).send(
          new ListBucketsCommand({}),
        ),
      );
      await fetch(`${sidecar.url}/?Action=${random()}&Version=2011-06-15`, { method: 'POST' });
      await fetch(`${sidecar.url}/bucket?${random()}`, { headers: { authorization: 'AWS4-HMAC-SHA256 x' } });
    };
    await touch();
    const before = await series();
    for (let round = 0; round < 50; round += 1) await touch();
    expect(await series()).toBe(before);
  });
});

describe('output', () => {
  it('holds no secret, whatever the request', async () => {
    const session = await assume(sidecar.url, alice, 'data', { ExternalId: 'external-id-value' });
    const marker = `marker${randomBytes(8).toString('hex')}`;
    const s3 = s3Client(sidecar.url, session);
    await outcome(s3.send(new GetObjectCommand({ Bucket: 'data', Key: 'x' })));
    await outcome(
      s3.send(
        new PutObjectCommand({
          Bucket: 'data',
          Key: 'x',
          Body: marker,
          SSECustomerAlgorithm: 'AES256',
          SSECustomerKey: marker,
        }),
      ),
    );
    await outcome(
      s3Client(sidecar.url, { ...session, secretAccessKey: alice.secretAccessKey }).send(
        new ListBucketsCommand({}),
      ),
    );
    await outcome(
      s3Client(sidecar.url, { ...session, sessionToken: marker }).send(new ListBucketsCommand({})),
    );
    await fetch(`${sidecar.url}/data/x?X-Amz-Signature=${marker}&X-Amz-Security-Token=${marker}`);
    await fetch(`${sidecar.url}/data/x`, { headers: { authorization: `Bearer ${marker}`, cookie: marker } });
    for (const action of ['AssumeRoleWithWebIdentity', 'AssumeRole', 'Nonsense']) {
      const fields = ['WebIdentityToken', 'SAMLAssertion', 'Token', 'TokenCode', 'Password', 'LDAPPassword'];
      const body = new URLSearchParams([
        ['Action', action],
        ['Version', '2011-06-15'],
        ...fields.map((name) => [name, marker] as [string, string]),
      ]);
      const answer = await fetch(sidecar.url, { method: 'POST', body });
      expect(await answer.text()).not.toContain(marker);
    }
    const output = sidecar.logged.join('') + (await metrics());
    for (const secret of [
      marker,
      session.secretAccessKey,
      session.sessionToken,
      alice.secretAccessKey,
      bob.secretAccessKey,
      sidecar.storeCredentials.secretAccessKey,
    ]) {
      expect(output.includes(secret)).toBe(false);
    }
    expect(output).not.toMatch(/Signature=/);
  });

  it('is one JSON line per request, with who, what and why', async () => {
    const s3 = s3Client(sidecar.url, await assume(sidecar.url, alice, 'data'));
    await outcome(s3.send(new GetObjectCommand({ Bucket: 'data', Key: 'secret/x' })));
    const line: unknown = JSON.parse(sidecar.logged.at(-1) ?? '{}');
    expect(line).toMatchObject({
      level: 'info',
      msg: 'request',
      component: 's3',
      operation: 'GetObject',
      bucket: 'data',
      key: 'secret/x',
      principal_arn: 'arn:aws:sts::123456789012:assumed-role/data/test',
      source_ip: '127.0.0.1',
      status: 403,
      error_code: 'AccessDenied',
      decision: 'deny',
      policy_type: 'identity',
      matched_policy: 'arn:aws:iam::123456789012:policy/DataBucket',
      matched_sid: 'NoSecrets',
    });
    expect(line).toHaveProperty('request_id', expect.stringMatching(/^[0-9A-F]{16}$/));
    expect(line).toHaveProperty('time', expect.stringMatching(/^\d{4}-\d\d-\d\dT/));
  });

  it.each(['hash', 'off'])('hides object keys with log.objectKeys: %s', async (objectKeys) => {
    const hiding = await startSidecar({ further: `log: { objectKeys: ${objectKeys} }` });
    try {
      await outcome(
        s3Client(hiding.url, bob).send(new GetObjectCommand({ Bucket: 'data', Key: 'private-name' })),
      );
      expect(hiding.logged.join('')).not.toContain('private-name');
    } finally {
      await hiding.stop();
    }
  });
});

describe('shutdown', () => {
  it('lets a request in flight finish, refuses new ones, and drops readiness first', async () => {
    const stopping = await startSidecar({ directory: openDirectory });
    await s3Client(stopping.storeUrl, stopping.storeCredentials).send(
      new CreateBucketCommand({ Bucket: 'data' }),
    );
    const socket = await openSigned(stopping.url, {
      method: 'PUT',
      path: '/data/slow',
      headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', 'content-length': '200000' },
    });
    const answer = readAll(socket);
    socket.write(Buffer.alloc(100_000));
    await expect.poll(() => requestsInFlight(stopping)).toBe(1);
    const stopped = stopping.app.stop(300);
    expect((await fetch(`${stopping.adminUrl}/readyz`)).status).toBe(503);
    expect((await fetch(`${stopping.adminUrl}/livez`)).status).toBe(200);
    const knock = (): Promise<string> => fetch(stopping.url).then(String, () => 'refused');
    await expect.poll(knock).toBe('refused');
    socket.write(Buffer.alloc(100_000));
    expect(await answer).toMatch(/^HTTP\/1\.1 200/);
    await stopped;
    await stopping.stop();
  });
});

describe('limits', () => {
  it('answer SlowDown above maxInFlight', async () => {
    const narrow = await startSidecar({ directory: openDirectory, server: '  limits: { maxInFlight: 1 }' });
    try {
      const socket = await openSigned(narrow.url, {
        method: 'PUT',
        path: '/data/slow',
        headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', 'content-length': '200000' },
      });
      await expect.poll(() => requestsInFlight(narrow)).toBe(1);
      expect(await outcome(s3Client(narrow.url, alice).send(new ListBucketsCommand({})))).toBe(
        'SlowDown 503',
      );
      socket.destroy();
      await once(socket, 'close');
      await expect.poll(() => requestsInFlight(narrow)).toBe(0);
      expect(await outcome(s3Client(narrow.url, alice).send(new ListBucketsCommand({})))).toBe('allowed');
    } finally {
      await narrow.stop();
    }
  });
});
