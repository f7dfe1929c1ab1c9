import { describe, expect, it } from 'vitest';
import { authorizeS3 } from '../../src/authorize/authorize-s3.ts';
import { callerOf, directoryOf, type OwnPolicies, received, sourcesOf } from '../support/authorization.ts';

const worker = 'arn:aws:iam::123456789012:role/worker';
const wire = { method: 'PUT', target: '/data?logging', headers: [] } as const;
const enabled = '<TargetBucket>logs</TargetBucket><TargetPrefix>access/</TargetPrefix>';
const body = `<BucketLoggingStatus><LoggingEnabled>${enabled}</LoggingEnabled></BucketLoggingStatus>`;

const allow = (Resource: readonly string[], rest: object = {}): object => ({
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Action: 's3:*', Resource, ...rest },
});
const source = 'arn:aws:s3:::data';
const target = (keys: string): string => `arn:aws:s3:::logs/${keys}`;

/** Whether a role session may send the access logs of `data` to `logs/access/`. */
async function delivers(policies: OwnPolicies): Promise<string> {
  const directory = directoryOf(policies);
  const { request, authenticated } = received(wire, callerOf('role-session', directory), body);
  const { decision } = await authorizeS3(request, authenticated, sourcesOf(directory));
  return decision.effect;
}

describe('access logs are delivered', () => {
  it('where one pattern allows every key under the prefix', async () => {
    expect(await delivers({ identity: [allow([source, target('access/*')])] })).toBe('allow');
  });

  it('not where patterns of fixed lengths allow the keys that stand for all', async () => {
    const patterns = [1, 3, 40].map((length) => target(`access/${'?'.repeat(length)}`));
    expect(await delivers({ identity: [allow([source, ...patterns])] })).toBe('deny');
  });

  it('where the role allows more than a bucket policy that names it', async () => {
    const bucketPolicies = { logs: allow([target('access/?')], { Principal: { AWS: worker } }) };
    const own = allow([source, target('access/*')]);
    expect(await delivers({ identity: [own], bucketPolicies })).toBe('allow');
    expect(await delivers({ identity: [allow([source])], bucketPolicies })).toBe('deny');
  });
});
