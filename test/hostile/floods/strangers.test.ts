import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  type Attack,
  batchInBytes,
  callers,
  distinctNames,
  foreignTokens,
  formsInBytes,
  manyParameters,
  unfinishedHeads,
  unreadDenials,
  unreadPipelines,
  waitingBatches,
  waitingForms,
  webhookCalls,
} from '../../support/hostile/attacks.ts';
import type { Swarm } from '../../support/hostile/sockets.ts';
import { memoryLimitMiB, underAttack } from '../../support/hostile/under-attack.ts';
import { serveCallers, startWithObject } from '../../support/hostile/victims.ts';
import { type Program, type ProgramOptions, programDirectory } from '../../support/program.ts';
import { startWebhook } from '../../support/webhook.ts';

const scene = underAttack();

async function start(options?: ProgramOptions): Promise<Program> {
  scene.program = await startWithObject(options);
  return scene.program;
}

/** Lets an attack on a fresh program run while callers are served, and looks at what it cost. */
async function withstand(attack: Attack, options?: ProgramOptions): Promise<Program> {
  const attacked = await start(options);
  scene.swarm = await attack(attacked);
  await serveCallers(attacked);
  await settled(scene.swarm);
  await serveCallers(attacked, 2);
  expect(attacked.isRunning(), attacked.output().slice(-2000)).toBe(true);
  expect((await attacked.memory()).peakMiB).toBeLessThan(memoryLimitMiB);
  return attacked;
}

/** Waits until the attacker has written everything, or was cut off. */
async function settled({ sockets }: Swarm): Promise<void> {
  const isDone = (): boolean => sockets.every((socket) => socket.destroyed || socket.writableLength === 0);
  for (let waited = 0; !isDone() && waited < 100; waited += 1) {
    await setTimeout(50);
  }
}

describe('a stranger cannot exhaust memory or places', () => {
  it.each<[string, Attack]>([
    ['forms in HTTP chunks of one byte', formsInBytes],
    ['1,300 forms of 256 KiB that wait for their last byte', waitingForms(1300, 256 * 1024)],
    ['2,001 forms of 1 KiB that wait for their last byte', waitingForms(2001, 1024)],
    ['8,000 heads that never end', unfinishedHeads(8000, 12_000, 'url')],
    ['1,000 heads of 30 KiB that never end', unfinishedHeads(1000, 30_000, 'url')],
    ['15,000 heads that never end on the admin listener', unfinishedHeads(15_000, 6000, 'adminUrl')],
    ['200 forms of 8 MiB', waitingForms(200, 8 * 1024 * 1024)],
    ['500 connections with session tokens of 20 KB', foreignTokens(500, 20_000)],
    ['500 connections with 10,000 query parameters', manyParameters(500, 10_000)],
  ])('with %s', async (_, attack) => {
    await withstand(attack);
  });

  it('with 100,000 unknown access keys and buckets', async () => {
    const attacked = await start();
    await serveCallers(attacked);
    const before = (await attacked.metrics()).split('\n').length;
    scene.swarm = await distinctNames(40, 2500)(attacked);
    const refused = 'sts_sidecar_authn_failures_total{reason="unknown_key"}';
    await expect.poll(() => attacked.metric(refused), { timeout: 60_000 }).toBe(100_000);
    await serveCallers(attacked);
    expect((await attacked.metrics()).split('\n').length).toBeLessThan(before + 50);
    expect((await attacked.memory()).peakMiB).toBeLessThan(memoryLimitMiB);
  }, 90_000);

  it('with pipelines whose answers are never read', async () => {
    await withstand(unreadPipelines(60), { limits: '{ maxInFlight: 300 }' });
  });
});

it('forms that take all bytes which strangers may hold keep no caller out', async () => {
  const attacked = await start({ limits: '{ maxInFlight: 500, maxBufferedBytes: 33554432 }' });
  const batch = await waitingBatches(1, callers.carol)(attacked);
  const held = (): Promise<number> => attacked.metric('sts_sidecar_buffered_bytes');
  await expect.poll(held).toBeGreaterThan(6_000_000);
  // Fewer than there are places, so that none of them has to give way for its place.
  scene.swarm = await waitingForms(60, 256 * 1024)(attacked);
  await expect.poll(held).toBeGreaterThan(18_000_000);
  await serveCallers(attacked, 1);
  batch.close();
});

it('calls that wait for a webhook keep no caller out', async () => {
  const webhook = await startWebhook();
  webhook.answerWith((_, response) => {
    void setTimeout(100).then(() => response.writeHead(403).end('{"reason":"no"}'));
    return true;
  });
  const role = 'arn:minio:iam:::role/idmp-webhook';
  const directory = `${programDirectory}
  policies: { Nothing: { Version: "2012-10-17", Statement: [{ Effect: Deny, Action: "*", Resource: "*" }] } }
  identityProviders: [{ kind: custom-token, name: webhook, url: "${webhook.url}", rolePolicies: [Nothing], roleId: webhook }]
`;
  try {
    await withstand(webhookCalls(36, 64, role), { directory });
    expect(webhook.questions.length).toBeGreaterThan(0);
  } finally {
    await webhook.stop();
  }
});

describe('a caller without permission cannot exhaust memory or places', () => {
  it('with a batch in HTTP chunks of one byte, which is refused from its head', async () => {
    await withstand(batchInBytes(callers.bob));
    expect(scene.swarm?.answers[0]).toMatch(/^HTTP\/1\.1 403 [\s\S]*<Code>AccessDenied</);
  });

  it('with 500 batches that wait for their last byte', async () => {
    await withstand(waitingBatches(500, callers.bob));
    const refused = scene.swarm?.answers.filter((answer) => answer.startsWith('HTTP/1.1 403 '));
    expect(refused).toHaveLength(500);
  });

  it('with denied batches whose answers are never read', async () => {
    await withstand(unreadDenials(60));
  });
});

describe('a caller with permission cannot exhaust memory', () => {
  it('with a batch in HTTP chunks of one byte', async () => {
    await withstand(batchInBytes(callers.alice));
    expect(scene.swarm?.answers[0]).toMatch(/^HTTP\/1\.1 411 /);
  });

  it('with 200 batches that wait for their last byte: some wait, the others get SlowDown', async () => {
    const attacked = await withstand(waitingBatches(200, callers.carol));
    const refused = scene.swarm?.answers.filter((answer) =>
      /^HTTP\/1\.1 503 [\s\S]*<Code>SlowDown</.test(answer),
    );
    expect(refused?.length).toBeGreaterThan(150);
    expect(refused?.[0]).toMatch(/\r\nretry-after: 1\r\n/i);
    expect(await attacked.metric('sts_sidecar_limit_actions_total{limit="buffered_bytes"}')).toBeGreaterThan(
      150,
    );
  });
});
