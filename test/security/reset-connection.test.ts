import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { outcome, s3Client } from '../support/sdk.ts';
import { alice, bob, startSidecar } from '../support/sidecar.ts';
import { signWithSmithy } from '../support/smithy-signer.ts';
import { toBytes } from '../support/wire.ts';

const directory = (statements: string): string => `
directory:
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      inlinePolicies: { P: { Version: "2012-10-17", Statement: ${statements} } }
    - name: bob
      accessKeys: [{ accessKeyId: ${bob.accessKeyId}, secretAccessKey: { env: BOB } }]
      inlinePolicies: { P: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "s3:*", Resource: "*" }] } }
`;

describe('a client that resets its connection to hide its address', () => {
  it.each([
    [
      'a deny list',
      '[{ Effect: Allow, Action: "s3:*", Resource: "*" }, { Effect: Deny, Action: "s3:*", Resource: "*", Condition: { IpAddress: { "aws:SourceIp": "127.0.0.0/8" } } }]',
    ],
    [
      'an allow with exceptions',
      '[{ Effect: Allow, Action: "s3:*", Resource: "*", Condition: { NotIpAddress: { "aws:SourceIp": "127.0.0.0/8" } } }]',
    ],
  ])('does not get past %s', async (_, statements) => {
    const sidecar = await startSidecar({ directory: directory(statements) });
    try {
      const forbidden = new DeleteObjectCommand({ Bucket: 'data', Key: 'k' });
      expect(await outcome(s3Client(sidecar.url, alice).send(forbidden))).toBe('AccessDenied 403');
      // Warm connections to the store make a request reach it at once.
      await Promise.all([1, 2, 3, 4].map(() => outcome(s3Client(sidecar.url, bob).send(forbidden))));
      sidecar.seen.length = 0;
      const { host, hostname, port } = new URL(sidecar.url);
      for (let round = 0; round < 20; round += 1) {
        const wire = await signWithSmithy(
          { method: 'DELETE', path: '/data/k', query: {}, headers: { host } },
          alice,
          { nowMs: Date.now() },
        );
        const socket = connect(Number(port), hostname, () =>
          socket.write(toBytes(wire), 'latin1', () => socket.resetAndDestroy()),
        );
        socket.on('error', () => undefined);
        await setTimeout(10);
      }
      await setTimeout(200);
      expect(sidecar.seen).toHaveLength(0);
    } finally {
      await sidecar.stop();
    }
  });
});
