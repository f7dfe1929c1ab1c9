import { describe, expect, it } from 'vitest';
import type { Attack } from '../../support/hostile/attacks.ts';
import { chartLimits, expectToRun, memoryLimitMiB, underAttack } from '../../support/hostile/under-attack.ts';
import { serveCallers, startWithObject } from '../../support/hostile/victims.ts';
import {
  failedUploadsWithLongHeads,
  headsBehindRequests,
  headsThatGrowTogether,
  longTargetsOnIdleConnections,
  refusedUploadsWithLongHeads,
  refusedUploadsWithLongTargets,
  refusedUploadsWithTinyHeaders,
  refusedUploadsWithTrailers,
} from './head-attacks.ts';

const scene = underAttack();

describe('a stranger cannot exhaust memory with heads that hold no place', { timeout: 120_000 }, () => {
  // The header fields of refused uploads are freed, so that none of these has to be closed. Their targets are kept.
  it.each<[string, 'some' | 'none', Attack]>([
    ['of 3,400 refused uploads whose bodies trickle', 'none', refusedUploadsWithLongHeads(3_400)],
    ['of 3,500 refused uploads with headers of a few bytes', 'none', refusedUploadsWithTinyHeaders(3_500)],
    ['of 3,400 uploads that fail at their first chunk', 'none', failedUploadsWithLongHeads(3_400)],
    ['that begin in the same read as a whole request', 'some', headsBehindRequests(3_500)],
    ['that grow on 3,500 connections at the same moment', 'some', headsThatGrowTogether(3_500)],
    ['of 3,400 refused uploads with targets of 30 KB', 'some', refusedUploadsWithLongTargets(3_400)],
    ['of 3,400 answered requests with targets of 32 KB', 'none', longTargetsOnIdleConnections(3_400)],
    ['or with trailers of 3,400 refused uploads', 'some', refusedUploadsWithTrailers(3_400)],
  ])('%s', async (_, closes, attack) => {
    const attacked = await startWithObject({ limits: chartLimits });
    scene.program = attacked;
    scene.swarm = await attack(attacked);
    await expectToRun(attacked, 1);
    await serveCallers(attacked, 1);
    expect((await attacked.memory()).peakMiB).toBeLessThan(memoryLimitMiB);
    const series = 'sts_sidecar_limit_actions_total{limit="unfinished_heads"}';
    const closed = await attacked.metric(series);
    expect(Number.isNaN(closed) || closed === 0 ? 'none' : 'some').toBe(closes);
  });
});
