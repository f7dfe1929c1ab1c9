import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  type Attack,
  batchInBytes,
  callers,
  foreignTokens,
  forgedAssertions,
  formsInBytes,
  preflights,
  refusedUploads,
  unclosedMarkup,
  unfinishedHeads,
  unreadDenials,
  unreadPipelines,
  waitingBatches,
  waitingForms,
  webhookCalls,
} from '../support/hostile/attacks.ts';
import { chartLimits, memoryLimitMiB } from '../support/hostile/under-attack.ts';
import { build, type Program, programDirectory, startProgram } from '../support/program.ts';
import { createSamlIdp, writeMetadata, writeResponse } from '../support/saml-idp.ts';
import { s3Client } from '../support/sdk.ts';
import { account, alice, roleArn } from '../support/sidecar.ts';
import { signWithSmithy } from '../support/smithy-signer.ts';
import { startWebhook, type TestWebhook } from '../support/webhook.ts';

/** How long the attacks last. */
const attackSeconds = 120;
const quietSeconds = 15;
const perSecond = 50;

const certificates = 10;
const samlArn = `arn:aws:iam::${account}:saml-provider/company`;
const webhookRole = (name: string): string => `arn:minio:iam:::role/idmp-${name}`;

let healthy: TestWebhook;
let hanging: TestWebhook;
let store: ChildProcess;
let program: Program;
let forged: string;

beforeAll(build, 120_000);
beforeAll(async () => {
  [healthy, hanging] = await Promise.all([startWebhook(), startWebhook()]);
  healthy.answerWith((_, response) => {
    void setTimeout(100).then(() => response.writeHead(403).end('{"reason":"no"}'));
    return true;
  });
  hanging.answerWith(() => true);
  const idp = createSamlIdp({ entityId: 'https://idp.example.com', roles: [], now: () => Date.now() });
  forged = Buffer.from(
    writeResponse(
      idp.sign(idp.assertion({ attributes: { filling: ['a'.repeat(25_000)] } })),
      idp.entityId,
      Date.now(),
    ),
  )
    .toString('utf8')
    .replace(/(<ds:SignatureValue>)..../, '$1AAAA');
  const secretAccessKey = randomBytes(30).toString('base64');
  store = spawn(process.execPath, [fileURLToPath(new URL('store.mjs', import.meta.url))], {
    env: { PATH: process.env['PATH'], STORE_SECRET: secretAccessKey },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [printed] = (await once(store.stdout ?? store, 'data')) as [Buffer];
  program = await startProgram({
    isAllocatedAsInImage: true,
    store: { url: printed.toString('utf8').trim(), secretAccessKey },
    limits: chartLimits,
    files: { 'company.xml': writeMetadata(idp.entityId, Array(certificates).fill(idp.certificate)) },
    directory: `${programDirectory}
  policies: { Nothing: { Version: "2012-10-17", Statement: [{ Effect: Deny, Action: "*", Resource: "*" }] } }
  identityProviders:
    - { kind: custom-token, name: healthy, url: "${healthy.url}/healthy", rolePolicies: [Nothing], roleId: healthy }
    - { kind: custom-token, name: hanging, url: "${hanging.url}/hanging", rolePolicies: [Nothing], roleId: hanging }
    - { kind: saml, name: company, metadataFile: company.xml }
`,
  });
  const owner = s3Client(program.storeUrl, program.storeCredentials);
  await owner.send(new CreateBucketCommand({ Bucket: 'data' }));
  await owner.send(new PutObjectCommand({ Bucket: 'data', Key: 'k', Body: 'x'.repeat(1024) }));
});
afterAll(async () => {
  await program.stop();
  store.kill();
  await Promise.all([healthy.stop(), hanging.stop()]);
});

interface Served {
  readonly sent: number;
  readonly failures: readonly string[];
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** The requests of a well-behaved client: GETs, PUTs and AssumeRole calls, signed once. */
async function citizenRequests(): Promise<object[]> {
  const { host } = new URL(program.url);
  const nowMs = Date.now();
  const object = 'x'.repeat(1024);
  const form = new URLSearchParams({
    Action: 'AssumeRole',
    Version: '2011-06-15',
    RoleArn: roleArn('data'),
    RoleSessionName: 'citizen',
  }).toString();
  const sign = async (method: string, path: string, body = '', service = 's3'): Promise<object> => {
    const unsigned = body === '' ? {} : { 'content-length': String(body.length) };
    const digest = createHash('sha256').update(body).digest('hex');
    const headers = {
      host,
      'x-amz-content-sha256': service === 's3' ? 'UNSIGNED-PAYLOAD' : digest,
      ...(service === 'sts' ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
    };
    const request = { method, path, query: {}, headers, body };
    const wire = await signWithSmithy(request, alice, { service, nowMs });
    return { method, path, headers: { ...Object.fromEntries(wire.headers), ...unsigned }, body };
  };
  const get = await sign('GET', '/data/k');
  const put = await sign('PUT', '/data/own', object);
  return [get, put, get, await sign('POST', '/', form, 'sts'), get];
}

async function serveCitizen(seconds: number): Promise<Served> {
  const script = fileURLToPath(new URL('citizen.mjs', import.meta.url));
  const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(
    JSON.stringify({ url: program.url, requests: await citizenRequests(), perSecond, seconds }),
  );
  const [output] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  return JSON.parse(output) as Served;
}

/** Everything at once; each attack is repeated from new connections until the time is over. */
function attacks(): readonly Attack[] {
  return [
    formsInBytes,
    waitingForms(300, 256 * 1024),
    waitingForms(2001, 1024),
    batchInBytes(callers.bob),
    batchInBytes(callers.alice),
    waitingBatches(100, callers.bob),
    waitingBatches(50, callers.carol),
    unreadDenials(10),
    unfinishedHeads(3000, 3000, 'url'),
    unfinishedHeads(3000, 3000, 'adminUrl'),
    unreadPipelines(5),
    unclosedMarkup('<', 2_000_000),
    unclosedMarkup('<!--', 500_000),
    unclosedMarkup(`<${'a'.repeat(208)}`, 10_000),
    webhookCalls(36, 64, webhookRole('healthy')),
    webhookCalls(36, 64, webhookRole('hanging')),
    forgedAssertions(10, samlArn, roleArn('data'), Buffer.from(forged).toString('base64')),
    foreignTokens(100),
    refusedUploads(300),
    preflights(50),
  ];
}

/**
 * How long an attacker keeps its connections before it starts again. All attacks together would otherwise ask for more than
 * the two cores can do, the attackers' own work included, and the test would measure the machine.
 */
const heldMs = 14_000;

async function attackUntil(endMs: number, attack: Attack, index: number): Promise<void> {
  await setTimeout(index * 700);
  while (Date.now() < endMs) {
    const swarm = await attack(program);
    await setTimeout(heldMs + (index % 5) * 500);
    swarm.close();
  }
}

async function highestMemory(endMs: number): Promise<number> {
  let highest = 0;
  while (Date.now() < endMs) {
    highest = Math.max(highest, (await program.memory()).residentMiB);
    await setTimeout(200);
  }
  return highest;
}

it('callers are served while every attack goes on at once, and nothing is left of it', async () => {
  const quiet = await serveCitizen(quietSeconds);
  expect(quiet.failures).toEqual([]);
  const before = { memory: await program.memory(), descriptors: await program.descriptors() };

  const endMs = Date.now() + attackSeconds * 1000;
  const [served, highestMiB] = await Promise.all([
    serveCitizen(attackSeconds),
    highestMemory(endMs),
    ...attacks().map((attack, index) => attackUntil(endMs, attack, index)),
  ]);
  const { peakMiB } = await program.memory();
  const report = `served ${served.sent - served.failures.length} of ${served.sent}; p50 ${served.p50Ms.toFixed(1)} ms (quiet ${quiet.p50Ms.toFixed(1)}), p99 ${served.p99Ms.toFixed(1)} ms (quiet ${quiet.p99Ms.toFixed(1)}); resident ${before.memory.residentMiB.toFixed(0)} MiB before, ${highestMiB.toFixed(0)} during, ${peakMiB.toFixed(0)} at most`;
  process.stdout.write(`${report}\n`);

  expect(program.isRunning(), program.output().slice(-2000)).toBe(true);
  const distinct = [...new Set(served.failures)].slice(0, 5).join('\n');
  expect(served.failures.length / served.sent, distinct).toBeLessThanOrEqual(0.005);
  expect(served.p99Ms).toBeLessThan(20 * quiet.p99Ms);
  expect(peakMiB).toBeLessThan(memoryLimitMiB);

  await expect
    .poll(() => program.metric('sts_sidecar_requests_in_flight{listener="s3"}'), { timeout: 60_000 })
    .toBe(0);
  expect(await program.metric('sts_sidecar_unauthenticated_requests')).toBe(0);
  expect(await program.metric('sts_sidecar_buffered_bytes')).toBe(0);
  // Connections of the citizen and of the scraper may still be kept alive.
  await expect
    .poll(() => program.descriptors(), { timeout: 60_000 })
    .toBeLessThanOrEqual(before.descriptors + 20);
  const after = await serveCitizen(quietSeconds);
  expect(after.failures).toEqual([]);
  await expect
    .poll(async () => (await program.memory()).residentMiB, { timeout: 30_000 })
    .toBeLessThanOrEqual(1.3 * before.memory.residentMiB);
  process.stdout.write(`resident ${(await program.memory()).residentMiB.toFixed(0)} MiB afterwards\n`);
});
