import { defineConfig, type ViteUserConfig } from 'vitest/config';

/** Components of their own, see the other configurations. */
const notHere = ['test/interop/**', 'test/cluster/**', 'test/hostile/**'];
/** Tests of the whole program under attack: they watch the process, its memory or its event loop. */
const apart = ['test/security/**'];

const config: ViteUserConfig = defineConfig({
  test: {
    // For what hangs; on a busy machine an honest test takes a minute.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // A second, which is vitest's own, is not enough on a busy machine either.
    expect: { poll: { timeout: 20_000 } },
    passWithNoTests: false,
    // One more than the cores of the smallest machine: some tests wait.
    maxWorkers: 3,
    projects: [
      {
        extends: true,
        test: {
          name: 'shared',
          include: ['test/**/*.test.ts'],
          exclude: [...notHere, ...apart],
          // The files of a worker share the modules they import: loading them takes longer than most files.
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'apart',
          include: apart.map((folder) => `${folder}/*.test.ts`),
          // After the others: a worker is either shared or not.
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});

export default config;
