import { defineConfig, type ViteUserConfig } from 'vitest/config';

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/hostile/**/*.test.ts'],
    testTimeout: 600_000,
    hookTimeout: 60_000,
    passWithNoTests: false,
    maxWorkers: 1,
    fileParallelism: false,
  },
});

export default config;
