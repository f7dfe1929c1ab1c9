import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { alice, type TestSidecar } from '../support/sidecar.ts';
import { signWithSmithy } from '../support/smithy-signer.ts';
import { sidecarBefore } from './raw-store.ts';

const sizes = [1, 8192, 70_000, 1_000_000, 6_000_000];
const objects = sizes.map((size) => randomBytes(size));
const digests = objects.map(digestOf);

function digestOf(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

async function get(sidecar: TestSidecar, path: string, agent: Agent): Promise<IncomingMessage> {
  const { host } = new URL(sidecar.url);
  const wire = await signWithSmithy({ method: 'GET', path, query: {}, headers: { host } }, alice, {
    nowMs: Date.now(),
  });
  const sent = request(`${sidecar.url}${path}`, { agent, headers: Object.fromEntries(wire.headers) }).end();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  return answer;
}

/** Reads one answer whole, with pauses, like a client on a slow line. */
async function readSlowly(answer: IncomingMessage): Promise<string> {
  const hash = createHash('sha256');
  let pieces = 0;
  for await (const piece of answer) {
    hash.update(piece as Buffer);
    pieces += 1;
    if (pieces % 8 === 0) await setTimeout(pieces % 5);
  }
  return hash.digest('hex');
}

it('clients that read at different speeds get every object as the store sent it', async () => {
  const { sidecar } = await sidecarBefore(({ socket, received }) => {
    const last = received().slice(received().lastIndexOf('GET '));
    const index = Number(/^GET \/data\/(\d+) /.exec(last)?.[1]);
    const object = objects[index] ?? Buffer.alloc(0);
    socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${object.length}\r\n\r\n`);
    socket.write(object);
  });
  const client = async (first: number): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let round = 0; round < 2 * sizes.length; round += 1) {
      const index = (first + round) % sizes.length;
      const answer = await get(sidecar, `/data/${index}`, agent);
      expect(answer.statusCode).toBe(200);
      expect(await readSlowly(answer)).toBe(digests[index]);
    }
    agent.destroy();
  };
  await Promise.all(Array.from({ length: 8 }, (_, index) => client(index)));
});
