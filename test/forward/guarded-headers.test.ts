import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { stepsPerSlice } from '../../src/authorize/pace.ts';
import { DecisionBudget } from '../../src/iam/budget.ts';
import { emptySha256 } from '../../src/sigv4/payload-mode.ts';
import { countTurns, dearPolicy, longHeaders } from '../support/dear-decisions.ts';
import { requestsInFlight } from '../support/in-flight.ts';
import { assume, type SdkCredentials } from '../support/sdk.ts';
import { account, alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { signWithSmithy } from '../support/smithy-signer.ts';

const stops: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const stop of stops.splice(0).reverse()) await stop();
});

const guarded = {
  'x-amz-tagging-count': '1',
  'x-amz-object-lock-mode': 'GOVERNANCE',
  'x-amz-object-lock-retain-until-date': '2030-01-01T00:00:00Z',
  'x-amz-object-lock-legal-hold': 'OFF',
};

/** A role whose policies together take more than a slice, and a few statements of the test. */
function dearRole(further: readonly object[]): string {
  const inline = [dearPolicy, dearPolicy, dearPolicy, { Version: '2012-10-17', Statement: further }];
  const policies = inline.flatMap((document, index) =>
    index < 3 || further.length > 0 ? [`Inline${index}: ${JSON.stringify(document)}`] : [],
  );
  const assume = { Effect: 'Allow', Action: 'sts:AssumeRole' };
  const trust = { Version: '2012-10-17', Statement: [{ ...assume, Principal: { AWS: account } }] };
  const own = { Version: '2012-10-17', Statement: [{ ...assume, Resource: '*' }] };
  return `
directory:
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      inlinePolicies: { Assume: ${JSON.stringify(own)} }
  roles:
    - name: dear
      trustPolicy: ${JSON.stringify(trust)}
      inlinePolicies: { ${policies.join(', ')} }
`;
}

/** A sidecar in front of a store that answers as the test says, and a session of {@link dearRole}. */
async function inFrontOf(
  answer: (response: ServerResponse) => void,
  further: readonly object[] = [],
): Promise<{ readonly sidecar: TestSidecar; readonly session: SdkCredentials }> {
  const store: Server = createServer((_, response) => answer(response)).listen(0, '127.0.0.1');
  await once(store, 'listening');
  stops.push(() => {
    store.closeAllConnections();
    store.close();
  });
  const { port } = store.address() as AddressInfo;
  const backend = {
    endpoint: `http://127.0.0.1:${port}`,
    accessKeyId: 'KEY',
    secretAccessKey: 'store-secret',
  };
  const sidecar = await startSidecar({ backend, directory: dearRole(further) });
  stops.push(() => sidecar.stop());
  return { sidecar, session: await assume(sidecar.url, alice, 'dear') };
}

async function get({ url }: TestSidecar, session: SdkCredentials, signal?: AbortSignal): Promise<Response> {
  const headers = { host: new URL(url).host, 'x-amz-content-sha256': emptySha256 };
  const long = Object.fromEntries(longHeaders);
  const wire = await signWithSmithy(
    { method: 'GET', path: '/data/key', query: {}, headers: { ...headers, ...long } },
    session,
    { nowMs: Date.now() },
  );
  const sent = wire.headers.filter(([name]) => name.toLowerCase() !== 'host');
  return fetch(url + wire.target, {
    headers: sent.map(([name, value]): [string, string] => [name, value]),
    ...(signal === undefined ? {} : { signal }),
  });
}

it('decisions about the headers of an answer share the slice of a turn, and each permission is decided once', async () => {
  const { sidecar, session } = await inFrontOf((response) => response.writeHead(200, guarded).end('content'));
  const counted = countTurns();
  const decisions = vi.spyOn(DecisionBudget.prototype, 'begin');
  const answer = await get(sidecar, session);
  expect(await answer.text()).toBe('content');
  counted.stop();
  for (const [name, value] of Object.entries(guarded)) expect(answer.headers.get(name)).toBe(value);
  // The request, and the permissions to read tags, retention and legal hold.
  expect(decisions.mock.calls).toHaveLength(4);
  // The pause comes soon after the slice is used up.
  expect(counted.most()).toBeLessThan(2 * stepsPerSlice);
});

it('a body that arrives while its headers are decided is passed on whole', async () => {
  const body = Buffer.alloc(3_000_000, 'abcdefghijk');
  const deny = { Effect: 'Deny', Action: ['s3:GetObjectRetention'], Resource: '*' };
  const answerStore = (response: ServerResponse): void => {
    response.writeHead(200, { ...guarded, 'content-length': body.length });
    response.write(body.subarray(0, 1_000));
    response.end(body.subarray(1_000));
  };
  const { sidecar, session } = await inFrontOf(answerStore, [deny]);
  const answer = await get(sidecar, session);
  expect([...answer.headers.keys()].filter((name) => name in guarded)).toEqual([
    'x-amz-object-lock-legal-hold',
    'x-amz-tagging-count',
  ]);
  expect(Buffer.from(await answer.arrayBuffer()).equals(body)).toBe(true);
});

it.each([
  ['may list the bucket', [], 404],
  ['may not list the bucket', [{ Effect: 'Deny', Action: 's3:ListBucket', Resource: '*' }], 403],
])('a missing object is decided on with pauses; the caller %s', async (_, further, status) => {
  const error = '<Error><Code>NoSuchKey</Code><Message>x</Message></Error>';
  const { sidecar, session } = await inFrontOf(
    (response) => response.writeHead(404, guarded).end(error),
    further,
  );
  const counted = countTurns();
  const answer = await get(sidecar, session);
  await answer.text();
  counted.stop();
  expect(answer.status).toBe(status);
  expect(counted.most()).toBeLessThan(2 * stepsPerSlice);
});

it('an answer that the store breaks off while its headers are decided is not taken for whole', async () => {
  const { sidecar, session } = await inFrontOf((response) => {
    response.writeHead(200, { ...guarded, 'content-length': 1_000 });
    response.write('begin', () => response.socket?.resetAndDestroy());
  });
  const answer = await get(sidecar, session);
  if (answer.status === 200) await expect(answer.text()).rejects.toThrow('terminated');
  else expect(answer.status).toBe(503);
});

it('a client that leaves while the headers of its answer are decided ends the request', async () => {
  const leaving = new AbortController();
  const { sidecar, session } = await inFrontOf((response) => {
    response.writeHead(200, guarded).end('content');
    setImmediate(() => leaving.abort());
  });
  await get(sidecar, session, leaving.signal).then(
    (answer) => answer.text(),
    () => 'aborted',
  );
  await expect.poll(() => requestsInFlight(sidecar)).toBe(0);
});
