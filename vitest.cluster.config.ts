import { defineConfig, type ViteUserConfig } from 'vitest/config';

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/cluster/**/*.test.ts'],
    globalSetup: ['test/cluster/set-up.ts'],
    testTimeout: 120_000,
    hookTimeout: 180_000,
    teardownTimeout: 120_000,
    passWithNoTests: false,
    maxWorkers: 1,
    fileParallelism: false,
  },
});

export default config;
