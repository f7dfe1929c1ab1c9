/*
 * This folder owns what `sts-sidecar demo` shows: its configuration, its client, its clock, this scenario and a small store.
 * In: clients of a running sidecar. Out: one line for each step, or a `ScenarioError`.
 * The demo reaches the sidecar over HTTP only, as any other client does.
 * It never writes to disk, and never talks to a real store.
 */

import { type DemoAnswer, type DemoClient, readCallerArn, readErrorCode } from './demo-client.ts';
import { demoNames } from './demo-configuration.ts';

/** What the scenario runs with. */
export interface ScenarioParts {
  /** Signs with the demo user's long-term key. */
  readonly user: DemoClient;
  /** Makes a client of the credentials an AssumeRole answer carries. */
  readonly sessionOf: (answer: DemoAnswer) => DemoClient;
  /** Puts the clock forward. */
  readonly advance: (milliseconds: number) => void;
  /** Tells what was done, one line a step. */
  readonly report: (line: string) => void;
}

/** A step did not give the answer it should. */
export class ScenarioError extends Error {
  override readonly name = 'ScenarioError';
}

const content = Buffer.from('hello from a temporary credential\n');
const { bucket, roleArn } = demoNames;

/**
 * Runs the demo once: assume the role, create a bucket, put, get, be denied a prefix by the role, be denied
 * everything else by an inline session policy, see who the caller is, and see the session expire.
 * Throws {@link ScenarioError} at the first wrong answer.
 */
export async function runScenario(parts: ScenarioParts): Promise<void> {
  const { user, sessionOf, advance, report } = parts;
  const assumed = await user.sts({ Action: 'AssumeRole', RoleArn: roleArn, RoleSessionName: 'demo' });
  expectStatus('AssumeRole', assumed, 200);
  const session = sessionOf(assumed);
  report(`assumed ${roleArn}`);

  const identity = await session.sts({ Action: 'GetCallerIdentity' });
  expectStatus('GetCallerIdentity', identity, 200);
  report(`the caller is ${readCallerArn(identity)}`);

  expectStatus('create the bucket', await session.s3('PUT', `/${bucket}`), 200);
  expectStatus('put an object', await session.s3('PUT', `/${bucket}/hello.txt`, content), 200);
  const read = await session.s3('GET', `/${bucket}/hello.txt`);
  expectStatus('get the object', read, 200);
  if (!read.body.equals(content)) throw new ScenarioError('the object came back changed');
  report(`put and got s3://${bucket}/hello.txt, ${content.length} bytes`);

  expectCode(
    'read a denied prefix',
    await session.s3('GET', `/${bucket}/private/plan.txt`),
    403,
    'AccessDenied',
  );
  report(`denied s3://${bucket}/private/plan.txt: the role says so`);

  const narrowed = await user.sts({
    Action: 'AssumeRole',
    RoleArn: roleArn,
    RoleSessionName: 'narrow',
    Policy: JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: `arn:aws:s3:::${bucket}/public/*` }],
    }),
  });
  expectStatus('AssumeRole with a session policy', narrowed, 200);
  const refused = await sessionOf(narrowed).s3('GET', `/${bucket}/hello.txt`);
  expectCode('read outside the session policy', refused, 403, 'AccessDenied');
  report(`denied s3://${bucket}/hello.txt: the session policy allows s3://${bucket}/public/ only`);

  advance(3_601_000);
  expectCode('use the expired session', await session.s3('GET', `/${bucket}/hello.txt`), 400, 'ExpiredToken');
  report('an hour later the session is refused with ExpiredToken');
}

function expectStatus(step: string, answer: DemoAnswer, status: number): void {
  if (answer.status === status) return;
  throw new ScenarioError(
    `${step}: expected ${status}, got ${answer.status} ${answer.body.toString('utf8').slice(0, 500)}`,
  );
}

function expectCode(step: string, answer: DemoAnswer, status: number, code: string): void {
  expectStatus(step, answer, status);
  const actual = readErrorCode(answer);
  if (actual !== code) throw new ScenarioError(`${step}: expected ${code}, got ${actual}`);
}
