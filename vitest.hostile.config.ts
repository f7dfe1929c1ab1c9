import { defineConfig, type ViteUserConfig } from 'vitest/config';

const floods = 'test/hostile/floods/**/*.test.ts';

const config: ViteUserConfig = defineConfig({
  test: {
    testTimeout: 600_000,
    hookTimeout: 60_000,
    passWithNoTests: false,
    projects: [
      { extends: true, test: { name: 'floods', include: [floods], maxWorkers: 2 } },
      {
        extends: true,
        test: {
          name: 'beside callers',
          include: ['test/hostile/**/*.test.ts'],
          exclude: [floods],
          // They compare how fast callers are served with and without an attack, so nothing else runs meanwhile.
          sequence: { groupOrder: 1 },
          fileParallelism: false,
        },
      },
    ],
  },
});

export default config;
