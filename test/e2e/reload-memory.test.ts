import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { programDirectory, startProgram } from '../support/program.ts';
import { outcome, s3Client } from '../support/sdk.ts';
import { alice } from '../support/sidecar.ts';

/** Nearly a megabyte of YAML: a small heap has room for one configuration of that size, and not for two and what is read. */
function manyPolicies(): string {
  const statement = (policy: number, index: number): string =>
    `{ Effect: Allow, Action: ["s3:GetObject", "s3:PutObject"], Resource: "arn:aws:s3:::b-${policy}-${index}/*", Condition: { StringLike: { "aws:username": "u*" } } }`;
  const policies = Array.from({ length: 300 }, (_, policy) => {
    const statements = Array.from({ length: 20 }, (_unused, index) => statement(policy, index));
    return `    P${policy}: { Version: "2012-10-17", Statement: [${statements.join(', ')}] }\n`;
  });
  return `  policies:\n${policies.join('')}`;
}

it('a configuration for which memory does not suffice waits, and the one in force goes on', async () => {
  const program = await startProgram({ heapMiB: 112, directory: `${programDirectory}${manyPolicies()}` });
  try {
    const s3 = s3Client(program.url, alice);
    await s3.send(new CreateBucketCommand({ Bucket: 'data' }));
    for (let count = 0; count < 3; count += 1) {
      process.kill(program.pid, 'SIGHUP');
      await expect
        .poll(() => program.output())
        .toMatch(/"problem":"reading the configuration again may take \d+ MiB/);
      expect(await outcome(s3.send(new PutObjectCommand({ Bucket: 'data', Key: 'k', Body: 'x' })))).toBe(
        'allowed',
      );
    }
    expect(program.isRunning()).toBe(true);
    expect(await program.metric('sts_sidecar_config_last_reload_successful')).toBe(0);
    // Said once, and not at each attempt.
    expect(await program.metric('sts_sidecar_config_reloads_total{outcome="failure"}')).toBe(1);
  } finally {
    await program.stop();
  }
}, 120_000);
