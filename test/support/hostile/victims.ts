import { setTimeout } from 'node:timers/promises';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import { expect } from 'vitest';
import { type Program, type ProgramOptions, startProgram } from '../program.ts';
import { s3Client, stsClient } from '../sdk.ts';
import { alice, roleArn } from '../sidecar.ts';

/** Starts the program with an object to read. */
export async function startWithObject(options: ProgramOptions = {}): Promise<Program> {
  const program = await startProgram(options);
  const store = s3Client(program.storeUrl, program.storeCredentials);
  await store.send(new CreateBucketCommand({ Bucket: 'data' }));
  await store.send(new PutObjectCommand({ Bucket: 'data', Key: 'k', Body: 'hello' }));
  return program;
}

/** Everything that callers with permission do; throws when one request fails. No request is tried twice. */
export async function serveCallers(program: Program, rounds = 5): Promise<void> {
  try {
    for (let round = 0; round < rounds; round += 1) await serveOnce(program);
  } catch (cause) {
    // The connection breaks a moment before the end of the process is known.
    await setTimeout(1000);
    if (program.isRunning()) throw cause;
    throw new Error(`the program has ended: ${program.output().slice(-2000)}`, { cause });
  }
}

async function serveOnce({ url }: Program): Promise<void> {
  const s3 = s3Client(url, alice);
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'data', Key: 'k' }));
  expect(await Body?.transformToString()).toBe('hello');
  await s3.send(new PutObjectCommand({ Bucket: 'data', Key: 'own', Body: 'x'.repeat(1024) }));
  await stsClient(url, alice).send(
    new AssumeRoleCommand({ RoleArn: roleArn('data'), RoleSessionName: 'victim' }),
  );
}
