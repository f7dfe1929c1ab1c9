import { defineConfig, type ViteUserConfig } from 'vitest/config';

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/interop/**/*.test.ts'],
    globalSetup: ['test/interop/components.ts'],
    testTimeout: 120_000,
    hookTimeout: 180_000,
    passWithNoTests: false,
    maxWorkers: 1,
    fileParallelism: false,
  },
});

export default config;
