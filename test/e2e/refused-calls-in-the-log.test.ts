import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assume, outcome } from '../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';

let sidecar: TestSidecar;

beforeAll(async () => {
  sidecar = await startSidecar();
});
afterAll(() => sidecar.stop());

type Line = Readonly<Record<string, unknown>>;

/** The log line of what `act` does, which sends one request. */
async function lineOf(act: () => Promise<unknown>): Promise<Line> {
  const before = sidecar.logged.length;
  await act();
  await expect.poll(() => sidecar.logged.length).toBe(before + 1);
  return JSON.parse(sidecar.logged[before] ?? '{}') as Line;
}

describe('the log line of a refused call to STS', () => {
  const send = (Action: string, Version = '2011-06-15'): Promise<unknown> =>
    fetch(sidecar.url, { method: 'POST', body: new URLSearchParams({ Action, Version }) });

  it.each([
    ['AssumeNothing', 'no action is named AssumeNothing'],
    [`<NoAction>${'A'.repeat(100)}`, `no action is named NoAction${'A'.repeat(56)}`],
    ['GetWebIdentityToken', 'GetWebIdentityToken is not supported'],
  ])('names the action %s, with letters and digits alone', async (action, detail) => {
    const line = await lineOf(() => send(action));
    expect(line).toMatchObject({ operation: 'Unknown', error_code: 'InvalidAction', error_detail: detail });
    const metrics = await (await fetch(`${sidecar.adminUrl}/metrics`)).text();
    expect(metrics).not.toMatch(/AssumeNothing|NoAction|GetWebIdentityToken/);
  });

  it('names the action of another version', async () => {
    const line = await lineOf(() => send('GetCallerIdentity', '2010-01-01\n'));
    expect(line).toMatchObject({
      error_detail: 'no action is named GetCallerIdentity in version 2010-01-01',
    });
  });

  const statement = (further: object): string =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' },
        { Effect: 'Allow', Action: 's3:PutObject', Resource: '*', ...further },
      ],
    });

  it.each([
    ['{"Version":', 'session policy: not valid JSON'],
    ['[]', 'session policy: the document'],
    [statement({ Effect: 'hush-hush' }), 'session policy: Statement[1].Effect'],
    [
      statement({ Resource: 'hush-hush', Condition: { StringEquals: 'hush-hush' } }),
      'session policy: Statement[1].Resource, Statement[1].Condition.StringEquals',
    ],
    [statement({ Condition: { HushHush: { 'aws:userid': 'x' } } }), 'session policy: Statement[1].Condition'],
  ])('says where the session policy %s is malformed, without its text', async (Policy, detail) => {
    const line = await lineOf(() => outcome(assume(sidecar.url, alice, 'data', { Policy })));
    expect(line['error_code']).toBe('MalformedPolicyDocument');
    expect(line['error_detail']).toMatch(
      new RegExp(`^${detail.replaceAll(/[[\].]/g, '\\$&')}( at position \\d+)?$`),
    );
    expect(JSON.stringify(line)).not.toMatch(/hush/i);
  });
});
