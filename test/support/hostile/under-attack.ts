import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeAll, expect } from 'vitest';
import { build, type Program } from '../program.ts';
import type { Swarm } from './sockets.ts';

/** The memory that a program under attack may take, MiB. The chart sets more. */
export const memoryLimitMiB = 320;

/** The limits that the chart sets. */
export const chartLimits = '{ maxConnections: 4000, maxInFlight: 500, maxBufferedBytes: 33554432 }';

/** One program and its attackers. */
export interface Scene {
  program: Program | undefined;
  swarm: Swarm | undefined;
}

/** Builds the program once. Whatever a test puts into the scene ends with the test, the attackers first. */
export function underAttack(): Scene {
  const scene: Scene = { program: undefined, swarm: undefined };
  beforeAll(build, 120_000);
  afterEach(async () => {
    const { program, swarm } = scene;
    scene.program = undefined;
    scene.swarm = undefined;
    swarm?.close();
    await program?.stop();
  });
  return scene;
}

/** Looks ten times each second whether the program still runs. */
export async function expectToRun(program: Program, seconds: number): Promise<void> {
  for (let round = 0; round < seconds * 10; round += 1) {
    await setTimeout(100);
    expect(program.isRunning(), program.output().slice(-2000)).toBe(true);
  }
}
