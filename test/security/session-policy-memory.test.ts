import { HeadBucketCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { startProgram } from '../support/program.ts';
import { assume, outcome, s3Client } from '../support/sdk.ts';
import { alice } from '../support/sidecar.ts';

/** A session policy of the full size whose every few characters are a pattern of their own. */
function dearPolicy(index: number): string {
  const values = [`arn:a:b:c:d:${index}`];
  const write = (): string =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: {
        Effect: 'Allow',
        Action: '*',
        Resource: '*',
        Condition: { ArnNotLike: { 'a:b': values } },
      },
    });
  while (write().length <= 2_030) values.push('*:?:?:?:?:?');
  return write();
}

describe('session policies that are full of patterns', () => {
  it('do not fill the memory, however many sessions have one of their own', async () => {
    const program = await startProgram();
    try {
      const sessions = 400;
      const atOnce = 8;
      let next = 0;
      const work = async (): Promise<void> => {
        while (next < sessions) {
          next += 1;
          const key = await assume(program.url, alice, 'data', { Policy: dearPolicy(next) });
          await outcome(s3Client(program.url, key).send(new HeadBucketCommand({ Bucket: 'none' })));
        }
      };
      const ended = await Promise.all(Array.from({ length: atOnce }, work)).then(() => 'served', String);
      expect([ended, program.isRunning()]).toEqual(['served', true]);
    } finally {
      await program.stop();
    }
  });
});
