import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startIdentityProvider, type TestIdentityProvider } from '../support/identity-provider.ts';
import { roleArn, startSidecar, TestClock, type TestSidecar } from '../support/sidecar.ts';
import { webIdentityDirectory } from '../support/web-identity.ts';

const clock = new TestClock();
let idp: TestIdentityProvider;
let other: TestIdentityProvider;
let sidecar: TestSidecar;

beforeAll(async () => {
  idp = await startIdentityProvider({ clock });
  other = await startIdentityProvider({ clock });
  sidecar = await startSidecar({ clock, directory: webIdentityDirectory({ issuer: idp.issuer }) });
});
afterAll(async () => {
  await sidecar.stop();
  await other.stop();
  await idp.stop();
});

type Line = Readonly<Record<string, unknown>>;

/** The log line of what `act` does, which sends one request. */
async function lineOf(act: () => Promise<unknown>): Promise<Line> {
  const before = sidecar.logged.length;
  await act();
  await expect.poll(() => sidecar.logged.length).toBe(before + 1);
  return JSON.parse(sidecar.logged[before] ?? '{}') as Line;
}

function present(token: string, to: TestSidecar = sidecar): Promise<Response> {
  const body = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: roleArn('pod'),
    RoleSessionName: 'app',
    WebIdentityToken: token,
  });
  return fetch(to.url, { method: 'POST', body });
}

describe('a bad web identity token', () => {
  const now = (): number => Math.floor(clock.now() / 1000);
  const badSignature = async (): Promise<string> => {
    const [head, , signature] = (await idp.mint()).split('.');
    const [, claims] = (await idp.mint({ jti: 'another' })).split('.');
    return [head, claims, signature].join('.');
  };
  const counted: Record<string, number> = {};
  const failures = async (): Promise<Readonly<Record<string, number>>> => {
    const text = await (await fetch(`${sidecar.adminUrl}/metrics`)).text();
    const found = text.matchAll(/^sts_sidecar_authn_failures_total\{reason="(\w+)"\} (\d+)$/gm);
    return Object.fromEntries([...found].map(([, reason, count]) => [reason, Number(count)]));
  };

  it.each([
    ['malformed', 'malformed', () => Promise.resolve('not-a-token')],
    ['expired', 'expired_token', () => idp.mint({ exp: now() - 1 })],
    ['not yet valid', 'clock_skew', () => idp.mint({ iat: now() + 500 })],
    ['of an unknown issuer', 'unknown_key', () => other.mint()],
    ['for another audience', 'malformed', () => idp.mint({ aud: 'other' })],
    ['with a bad signature', 'signature_mismatch', badSignature],
    ['of an unknown key', 'unknown_key', () => idp.mint({}, { kid: 'nobody-knows' })],
  ] as const)('that is %s counts as %s, and names no subject', async (_, reason, mint) => {
    const token = await mint();
    const line = await lineOf(() => present(token));
    counted[reason] = (counted[reason] ?? 0) + 1;
    // Scrapes that follow each other at once share one rendering.
    await expect.poll(failures, { timeout: 5_000 }).toEqual(counted);
    expect(line).toMatchObject({ role_arn: roleArn('pod'), session_name: 'app' });
    expect(line['error_detail']).toBeTypeOf('string');
    expect(line).not.toHaveProperty('subject');
    expect(line).not.toHaveProperty('audience');
    expect(JSON.stringify(line)).not.toContain('subject-1');
  });

  it('that cannot be judged does not count', async () => {
    const gone = await startIdentityProvider({ clock });
    const token = await gone.mint();
    await gone.stop();
    const alone = await startSidecar({ clock, directory: webIdentityDirectory({ issuer: gone.issuer }) });
    try {
      expect(await (await present(token, alone)).text()).toContain('IDPCommunicationError');
      const text = await (await fetch(`${alone.adminUrl}/metrics`)).text();
      expect(text).not.toContain('sts_sidecar_authn_failures_total{');
    } finally {
      await alone.stop();
    }
  });
});
