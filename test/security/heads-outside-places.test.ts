import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Attack } from '../support/hostile/attacks.ts';
import type { Swarm } from '../support/hostile/sockets.ts';
import { serveCallers, startWithObject } from '../support/hostile/victims.ts';
import { build, type Program } from '../support/program.ts';
import {
  headsBehindRequests,
  headsThatGrowTogether,
  longTargetsOnIdleConnections,
  refusedUploadsWithLongHeads,
  refusedUploadsWithLongTargets,
  refusedUploadsWithTinyHeaders,
  refusedUploadsWithTrailers,
} from './head-attacks.ts';

/** The memory limit of the chart, MiB, and its limits. */
const memoryLimitMiB = 320;
const limits = '{ maxConnections: 4000, maxInFlight: 500, maxBufferedBytes: 33554432 }';

beforeAll(build, 120_000);

let program: Program | undefined;
let swarm: Swarm | undefined;

afterEach(async () => {
  swarm?.close();
  await program?.stop();
  program = undefined;
  swarm = undefined;
});

describe('a stranger cannot exhaust memory with heads that hold no place', { timeout: 120_000 }, () => {
  // The header fields of refused uploads are freed, so that none of these has to be closed. Their targets are kept.
  it.each<[string, 'some' | 'none', Attack]>([
    ['of 3,400 refused uploads whose bodies trickle', 'none', refusedUploadsWithLongHeads(3_400)],
    ['of 3,500 refused uploads with headers of a few bytes', 'none', refusedUploadsWithTinyHeaders(3_500)],
    ['that begin in the same read as a whole request', 'some', headsBehindRequests(3_500)],
    ['that grow on 3,500 connections at the same moment', 'some', headsThatGrowTogether(3_500)],
    ['of 3,400 refused uploads with targets of 30 KB', 'some', refusedUploadsWithLongTargets(3_400)],
    ['of 3,400 answered requests with targets of 32 KB', 'none', longTargetsOnIdleConnections(3_400)],
    ['or with trailers of 3,400 refused uploads', 'some', refusedUploadsWithTrailers(3_400)],
  ])('%s', async (_, closes, attack) => {
    const attacked = await startWithObject({ limits });
    program = attacked;
    swarm = await attack(attacked);
    for (let round = 0; round < 10; round += 1) {
      await setTimeout(100);
      expect(attacked.isRunning(), attacked.output().slice(-2000)).toBe(true);
    }
    await serveCallers(attacked, 1);
    expect((await attacked.memory()).peakMiB).toBeLessThan(memoryLimitMiB);
    const series = 'sts_sidecar_limit_actions_total{limit="unfinished_heads"}';
    const closed = await attacked.metric(series);
    expect(Number.isNaN(closed) || closed === 0 ? 'none' : 'some').toBe(closes);
  });
});
