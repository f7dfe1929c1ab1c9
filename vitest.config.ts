import { defineConfig, type ViteUserConfig } from 'vitest/config';

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/interop/**', 'test/cluster/**', 'test/hostile/**'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    passWithNoTests: false,
    maxWorkers: 2,
  },
});

export default config;
