import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DeleteObjectsCommand, GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { openAuthorizationMessage } from '../../src/tokens/authorization-message.ts';
import { createKeyRing } from '../../src/tokens/key-ring.ts';
import { assume, s3Client } from '../support/sdk.ts';
import { account, alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';

const tagged = `Condition: { StringEquals: { "s3:ExistingObjectTag/team": blue } }`;
const trust = `{ Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { AWS: "${account}" }, Action: "sts:AssumeRole" }] }`;
const directory = `
directory:
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      inlinePolicies: { Assume: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "sts:AssumeRole", Resource: "*" }] } }
  roles:
    - name: reader
      trustPolicy: ${trust}
      inlinePolicies:
        Own:
          Version: "2012-10-17"
          Statement:
            - { Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::data/*", ${tagged} }
            - { Effect: Allow, Action: "s3:DeleteObject", Resource: "arn:aws:s3:::data/*" }
`;

/** A store that says nothing about tags. */
function startStore(): Promise<Server> {
  const server = createServer((_, response) => {
    response.writeHead(403, { 'content-type': 'application/xml' });
    response.end('<Error><Code>AccessDenied</Code><Message>no</Message></Error>');
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

describe('a request about which no decision can be made', () => {
  const tokenKey = randomBytes(32).toString('base64');
  const ring = createKeyRing([{ id: 'k1', secret: new Secret(tokenKey) }], 'k1');
  let store: Server;
  let sidecar: TestSidecar;
  let reader: S3Client;

  beforeAll(async () => {
    store = await startStore();
    const { port } = store.address() as AddressInfo;
    const backend = {
      endpoint: `http://127.0.0.1:${port}`,
      accessKeyId: 'STORE',
      secretAccessKey: 'secret-of-store',
    };
    sidecar = await startSidecar({ tokenKey, directory, backend, supports: ['conditionalBatchDelete'] });
    reader = s3Client(sidecar.url, await assume(sidecar.url, alice, 'reader'));
  });
  afterAll(async () => {
    await sidecar.stop();
    store.close();
  });
  beforeEach(() => void sidecar.logged.splice(0));

  const refusal = (): Promise<string> =>
    reader.send(new GetObjectCommand({ Bucket: 'data', Key: 'k' })).then(
      () => 'allowed',
      (error: unknown) => (error instanceof Error ? `${error.name}: ${error.message}` : 'thrown'),
    );

  it('is denied with a text that accuses no policy', async () => {
    expect((await refusal()).split(' Encoded')[0]).toBe(
      `AccessDenied: User: arn:aws:sts::${account}:assumed-role/reader/test is not authorized to perform: ` +
        's3:GetObject on resource: "arn:aws:s3:::data/k" because the authorization decision could not be made',
    );
  });

  it('is reported as such in the decoded message', async () => {
    const [, sealed = ''] = (await refusal()).split('failure message: ');
    expect(await openAuthorizationMessage(sealed, ring, Date.now())).toMatchObject({
      ok: true,
      document: {
        allowed: false,
        explicitDeny: false,
        matchedStatements: { items: [] },
        denial: { policyType: 'none', isDecided: false },
      },
    });
  });

  it('is an error in the log and in the metrics', async () => {
    await refusal();
    const line = sidecar.logged.findLast((one) => one.includes('"GetObject"')) ?? '{}';
    expect(JSON.parse(line)).toMatchObject({
      level: 'error',
      status: 403,
      decision: 'error',
      policy_type: 'none',
      error_detail: expect.stringMatching(/^deciding failed: .*s3:existingobjecttag\/team/),
    });
    const metrics = await (await fetch(`${sidecar.adminUrl}/metrics`)).text();
    expect(metrics).toMatch(
      /authz_decisions_total\{operation="GetObject",decision="error",policy_type="none",enforced="true"\} [1-9]/,
    );
    expect(metrics).not.toMatch(/operation="GetObject",decision="deny"/);
  });

  it('shows in the log as one of a batch too, behind what was denied for other reasons', async () => {
    const Objects = [
      { Key: 'k', VersionId: 'v1' },
      { Key: 'k', ETag: '"x"' },
    ];
    const { Errors = [] } = await reader.send(
      new DeleteObjectsCommand({ Bucket: 'data', Delete: { Objects } }),
    );
    expect(Errors.map(({ Code }) => Code)).toEqual(['AccessDenied', 'AccessDenied']);
    const line = sidecar.logged.findLast((one) => one.includes('"DeleteObjects"')) ?? '{}';
    expect(JSON.parse(line)).toMatchObject({ level: 'error', decision: 'error', policy_type: 'none' });
  });
});
