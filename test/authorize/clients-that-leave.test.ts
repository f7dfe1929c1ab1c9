import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterEach, expect, it, onTestFinished, vi } from 'vitest';
import { authorizeS3 } from '../../src/authorize/authorize-s3.ts';
import { alwaysThere, ClientGoneError } from '../../src/core/client-gone.ts';
import { DecisionBudget } from '../../src/iam/budget.ts';
import { callerOf, deleteOf, directoryOf, received, sourcesOf } from '../support/authorization.ts';
import { dearPolicy, longHeaders } from '../support/dear-decisions.ts';
import { requestsInFlight } from '../support/in-flight.ts';
import { assume } from '../support/sdk.ts';
import { alice, startSidecar } from '../support/sidecar.ts';
import { signWithSmithy } from '../support/smithy-signer.ts';

afterEach(() => void vi.restoreAllMocks());

const keys = Array.from({ length: 1_000 }, (_, index) => ({ key: `k/${index}` }));

it('a batch is not decided to the end once its client has left', async () => {
  const sidecar = await startSidecar();
  onTestFinished(() => sidecar.stop());
  const session = await assume(sidecar.url, alice, 'admin', { Policy: JSON.stringify(dearPolicy) });
  const { host, hostname, port } = new URL(sidecar.url);
  const body = deleteOf(keys);
  const hash = createHash('sha256').update(body).digest('hex');
  const own = { host, 'content-length': String(body.length), 'x-amz-content-sha256': hash };
  const { target, headers } = await signWithSmithy(
    {
      method: 'POST',
      path: '/data',
      query: { delete: '' },
      headers: { ...own, ...Object.fromEntries(longHeaders) },
    },
    session,
    { nowMs: Date.now() },
  );
  const decisions = vi.spyOn(DecisionBudget.prototype, 'begin');
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on('error', () => undefined);
  const fields = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.write(`POST ${target} HTTP/1.1\r\n${fields}\r\n${body}`, 'latin1');
  while (decisions.mock.calls.length < 10) await setImmediate();
  socket.destroy();
  while ((await requestsInFlight(sidecar)) > 0) await setImmediate();
  expect(decisions.mock.calls.length).toBeLessThan(keys.length / 2);
  expect(sidecar.seen).toEqual([]);
});

it('a decision whose client has left looks up no further tags', async () => {
  const whenBlue = { StringEquals: { 's3:ExistingObjectTag/team': 'blue' } };
  const Statement = { Effect: 'Allow', Action: 's3:*', Resource: '*', Condition: whenBlue };
  const directory = directoryOf({ identity: [{ Version: '2012-10-17', Statement }] });
  const lookups = async (leavesAt = Number.POSITIVE_INFINITY): Promise<number> => {
    const client = { ...alwaysThere, destroyed: false };
    let asked = 0;
    const tags = async (): Promise<(readonly [string, string])[]> => {
      asked += 1;
      client.destroyed = asked >= leavesAt;
      return [['team', 'blue']];
    };
    // Every name under which a store might find it is decided on.
    const wire = { method: 'GET', target: '/data/a//b/./c', headers: [] } as const;
    const { request, authenticated } = received(wire, callerOf('user', directory));
    const deciding = authorizeS3(request, authenticated, sourcesOf(directory, { lookup: { tags } }), client);
    if (leavesAt === 1) await expect(deciding).rejects.toBeInstanceOf(ClientGoneError);
    else expect((await deciding).isAllowed).toBe(true);
    return asked;
  };
  expect(await lookups()).toBeGreaterThan(1);
  expect(await lookups(1)).toBe(1);
});
