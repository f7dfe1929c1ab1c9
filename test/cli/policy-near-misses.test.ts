import { afterAll, describe, expect, it } from 'vitest';
import { type Execution, execute, file, policyConfiguration, removeFiles } from './command.ts';

afterAll(removeFiles);

const config = file('sidecar.yaml', policyConfiguration);
const alice = 'arn:aws:iam::123456789012:user/staff/alice';
const reader = 'arn:aws:iam::123456789012:role/data-reader';

const ask = (
  principal: string,
  action: string,
  resource: string,
  ...more: readonly string[]
): Promise<Execution> =>
  execute(
    ...['policy', 'simulate', '--config', config, '--principal', principal, '--action', action],
    ...['--resource', resource, ...more],
  );

async function resultOf(...words: Parameters<typeof ask>): Promise<unknown> {
  const { data } = await ask(...words, '--json');
  return (JSON.parse(data) as { results: readonly unknown[] }).results[0];
}

describe('the near miss of policy simulate', () => {
  const listing = ['s3:ListBucket', 'arn:aws:s3:::data', '--context', 'aws:SourceIp=10.0.0.7'] as const;

  it('is printed with the condition that failed and its values', async () => {
    const { code, data } = await ask(alice, ...listing, '--context', 's3:prefix=red/');
    expect(code).toBe(1);
    expect(data).toContain(
      '  near miss  Statement ReadData[4] (Sid "Office"): StringLike s3:prefix `red/` does not match `2026/*`\n',
    );
  });

  it('is printed with the resource of the nearest statement, its variables replaced', async () => {
    const { data } = await ask(alice, 's3:PutObject', 'arn:aws:s3:::data/red/a');
    expect(data).toContain(
      'near miss  Statement ReadData[1] (Sid "Team"): the resource `arn:aws:s3:::data/red/a` does not match `arn:aws:s3:::data/blue/*`',
    );
  });

  it('has a stable form in JSON', async () => {
    const result = await resultOf(alice, ...listing, '--context', 's3:prefix=red/');
    expect(result).toMatchObject({
      decision: 'implicitDeny',
      nearMiss: {
        policyType: 'identity',
        policy: 'arn:aws:iam::123456789012:policy/ReadData',
        sid: 'Office',
        index: 4,
        element: 'Condition',
        operator: 'StringLike',
        key: 's3:prefix',
        requested: ['red/'],
        wanted: ['2026/*'],
        otherFailures: 0,
      },
    });
  });

  it('is that of the trust policy for a role', async () => {
    const words = ['--context', 'sts:ExternalId=y', '--context', 'aws:SourceIp=10.0.0.7'];
    const { data } = await ask(alice, 'sts:AssumeRole', reader, ...words);
    expect(data).toContain(
      'near miss  Statement[0] of the trust policy (Sid "Account"): StringEquals sts:ExternalId `y` does not match `x`',
    );
  });

  it('is absent where a Deny denies and where nothing is near', async () => {
    for (const [action, key] of [
      ['s3:GetObject', 'secret/a'],
      ['s3:DeleteObject', 'a'],
    ] as const) {
      expect(await resultOf(alice, action, `arn:aws:s3:::data/${key}`)).toMatchObject({ nearMiss: null });
    }
  });
});
