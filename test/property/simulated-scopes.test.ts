import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { PolicyGatherer } from '../../src/authorize/gather-policies.ts';
import { simulatedRequest } from '../../src/cli/policy/circumstances.ts';
import { outcomeOf } from '../../src/cli/policy/render.ts';
import { simulate } from '../../src/cli/policy/simulate.ts';
import { buildWorld } from '../../src/cli/policy/world.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import { ServiceError } from '../../src/core/service-error.ts';
import type { SignedCall } from '../../src/sts/action.ts';
import { grantScope } from '../../src/sts/grants/scope-grant.ts';
import { createKeyRing } from '../../src/tokens/key-ring.ts';
import { file, removeFiles } from '../cli/command.ts';
import { callerOf, directoryOf, type OwnPolicies, received, recordsOf } from '../support/authorization.ts';
import { testNowMs } from '../support/raw-requests.ts';

afterAll(removeFiles);

const account = '123456789012';
const session = `arn:aws:sts::${account}:assumed-role/worker/me`;
const loaded = loadConfiguration(
  file(
    'scopes.yaml',
    `apiVersion: sts-sidecar/v1
backend: { endpoint: "http://127.0.0.1:9001", credentials: { accessKeyId: KEY, secretAccessKey: literal-secret } }
account: { id: "${account}" }
tokens: { sealWith: k, keys: [{ id: k, secret: ${Buffer.alloc(32, 1).toString('base64')} }] }
directory: {}
`,
  ),
  {},
);

interface Drawn {
  readonly identity: object;
  readonly session: object | undefined;
  readonly scopeDown: readonly object[];
}

const aMinute = 60;

async function live(drawn: Drawn): Promise<string> {
  const policies: OwnPolicies = { identity: [drawn.identity] };
  const directory = directoryOf(policies);
  const caller = callerOf('role-session', directory, drawn.session, drawn.scopeDown);
  const { authenticated } = received({ method: 'GET', target: '/', headers: [] }, caller);
  if (!loaded.ok) throw new Error(loaded.problems.join());
  const { keys, sealWith } = loaded.settings.tokens;
  const call = {
    authenticated: { ...authenticated, recheck: () => undefined },
    trace: { add: () => undefined },
    dependencies: {
      policies: new PolicyGatherer(directory),
      clock: { now: () => testNowMs },
      account: { id: account },
      authentication: { directory },
      keyRing: createKeyRing(keys, sealWith),
    },
  };
  try {
    // Of the call, only what the grant needs is here.
    await grantScope({ policy: undefined, durationSeconds: aMinute }, call as unknown as SignedCall);
    return 'allowed';
  } catch (error) {
    if (error instanceof ServiceError && error.code === 'AccessDenied') return 'explicitDeny';
    throw error;
  }
}

function simulated(drawn: Drawn): string {
  if (!loaded.ok) throw new Error(loaded.problems.join());
  const world = buildWorld({ ...loaded, directory: recordsOf({ identity: [drawn.identity] }) });
  const caller = callerOf('role-session', world.directory, drawn.session, drawn.scopeDown);
  const circumstances = {
    context: [
      ['aws:CurrentTime', new Date(testNowMs).toISOString().replace('.000Z', 'Z')],
      ['aws:SourceIp', '192.0.2.1'],
      ['sts:DurationSeconds', String(aMinute)],
    ] as const,
    absent: [],
  };
  const raw = simulatedRequest(circumstances, testNowMs);
  const asker = { kind: 'caller', caller, arn: caller.arn, untold: [] } as const;
  return outcomeOf(simulate('sts:GetScopedCredentials', '*', { asker, circumstances, world, raw }));
}

const statement = fc
  .tuple(
    fc.constantFrom('Allow', 'Deny'),
    fc.constantFrom('*', 'sts:*', 'sts:GetScopedCredentials', 's3:*'),
    fc.constantFrom(
      ...['*', session, session.replace('me', '*'), session.replace('me', 'other'), 'arn:aws:s3:::*'],
    ),
    fc.constantFrom<object>(
      ...[{}, {}],
      { NumericLessThan: { 'sts:DurationSeconds': '3600' } },
      { NumericGreaterThan: { 'sts:DurationSeconds': '3600' } },
      { IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } },
    ),
    fc.nat(4),
  )
  .map(([Effect, Action, Resource, Condition, other]) => ({
    Effect,
    Action,
    ...(other === 0 ? { NotResource: Resource } : { Resource }),
    ...(Object.keys(Condition).length === 0 ? {} : { Condition }),
  }));
const policy = fc
  .array(statement, { minLength: 1, maxLength: 2 })
  .map((Statement): object => ({ Version: '2012-10-17', Statement }));
const drawn: fc.Arbitrary<Drawn> = fc.record({
  identity: policy,
  session: fc.option(policy, { nil: undefined }),
  scopeDown: fc.array(policy, { maxLength: 2 }),
});

describe('policy simulate about a session that scopes itself down', () => {
  it('agrees with the running sidecar on random policies', async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(drawn, async (policies) => {
        const expected = await live(policies);
        seen.add(expected);
        expect(simulated(policies)).toBe(expected);
      }),
      { numRuns: 600 },
    );
    expect([...seen].sort()).toEqual(['allowed', 'explicitDeny']);
  });
});
