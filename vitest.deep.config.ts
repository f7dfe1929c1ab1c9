import { defineConfig, type ViteUserConfig } from 'vitest/config';

/**
 * The properties of the policy engine on forty times as much random input as `npm test` takes, the comparison of HTTP parsers on
 * fifty times as many answers, and the readers of uploads on fifty times as many bodies.
 */
const config: ViteUserConfig = defineConfig({
  test: {
    include: [
      'test/property/iam-*.test.ts',
      'test/property/http-answers.test.ts',
      'test/property/signed-chunks.test.ts',
      'test/property/form-bodies.test.ts',
    ],
    provide: { iamRuns: 200_000, httpAnswers: 1_000_000, signedBodies: 1_000_000, formBodies: 1_000_000 },
    passWithNoTests: false,
    maxWorkers: 2,
  },
});

export default config;
