import { defineConfig, type ViteUserConfig } from 'vitest/config';

/** The properties of the policy engine on twenty times as much random input as `npm test` takes. */
const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/property/iam-*.test.ts'],
    provide: { iamRuns: 200_000 },
    passWithNoTests: false,
    maxWorkers: 2,
  },
});

export default config;
