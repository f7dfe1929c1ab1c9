import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { signedHead } from '../../support/hostile/signed.ts';
import { chartLimits, underAttack } from '../../support/hostile/under-attack.ts';
import { startProgram } from '../../support/program.ts';
import { assume } from '../../support/sdk.ts';
import { account, alice } from '../../support/sidecar.ts';

const scene = underAttack();

const connections = 300;
const listsOfEach = 4;
const bucketNames = Array.from({ length: 3_000 }, (_, index) => `b${index.toString(36).padStart(3, '0')}`);
const list = `<ListAllMyBucketsResult><Owner><ID>o</ID></Owner><Buckets>${bucketNames
  .map((name) => `<Bucket><Name>${name}</Name><CreationDate>2026-01-01T00:00:00.000Z</CreationDate></Bucket>`)
  .join('')}</Buckets></ListAllMyBucketsResult>`;

const listsOne = `{ Own: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "s3:ListBucket", Resource: "arn:aws:s3:::b001" }, { Effect: Allow, Action: "sts:*", Resource: "*" }] } }`;
const directory = `
directory:
  users:
    - { name: alice, inlinePolicies: ${listsOne}, accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }] }
  roles:
    - name: lister
      inlinePolicies: ${listsOne}
      trustPolicy: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { AWS: "arn:aws:iam::${account}:root" }, Action: "sts:AssumeRole" }] }
`;

let store: Server;
beforeAll(async () => {
  store = createServer((message, response) => {
    message.resume();
    response.writeHead(200, { 'content-type': 'application/xml', 'content-length': list.length }).end(list);
  }).listen(0, '127.0.0.1');
  await once(store, 'listening');
});
afterAll(() => {
  store.closeAllConnections();
  store.close();
});

/** Asks for the list again and again on one connection, and returns the statuses. */
function statusesOf(url: string, head: string): Promise<readonly string[]> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port) });
    const statuses: string[] = [];
    let answer = '';
    socket.setEncoding('latin1').on('error', () => undefined);
    socket.on('close', () => resolve([...statuses, 'closed']));
    socket.on('data', (text: string) => {
      answer += text;
      if (!/<\/(?:Error|ListAllMyBucketsResult)>/.test(answer)) return;
      statuses.push(answer.slice(9, 12));
      answer = '';
      if (statuses.length < listsOfEach) socket.write(head, 'latin1');
      else {
        resolve(statuses);
        socket.destroy();
      }
    });
    socket.write(head, 'latin1');
  });
}

// A list was paid for by its bytes, but ten times as much was held while its buckets were decided on: 92 lists ended the process.
it('lists of thousands of buckets do not fill the memory, however many two callers ask for', async () => {
  const { port } = store.address() as AddressInfo;
  const program = await startProgram({
    directory,
    limits: chartLimits,
    heapMiB: 192,
    store: { url: `http://127.0.0.1:${port}`, secretAccessKey: 'secret-of-the-store' },
  });
  scene.program = program;
  const session = await assume(program.url, alice, 'lister');
  const toSign = { method: 'GET', path: '/' };
  const heads = await Promise.all([alice, session].map((caller) => signedHead(program.url, caller, toSign)));
  const asked = Array.from({ length: connections }, (_, index) =>
    statusesOf(program.url, heads[index % heads.length] ?? ''),
  );
  const statuses = new Set((await Promise.all(asked)).flat());
  expect(program.isRunning(), program.output().slice(-2_000)).toBe(true);
  expect([...statuses].sort()).toEqual(['200', '503']);
});
