import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IdentityFault } from '../../src/identity/identity-fault.ts';
import { type ProviderWorld, startProviderWorld } from './provider-world.ts';

let world: ProviderWorld;
beforeAll(async () => {
  world = await startProviderWorld({
    kind: 'oidc',
    claims: {},
    settings: (issuer) => ({
      kind: 'oidc',
      name: 'test',
      issuer,
      clientIds: ['sts-sidecar'],
      acceptAzp: false,
      anyAzp: false,
      userInfo: false,
    }),
  });
});
afterAll(() => world.stop());

/** The subject of a token, or the reason it is refused for. */
async function judge(token: string): Promise<string> {
  try {
    return (await world.providers.identify(token, world.clock.now())).subject;
  } catch (error) {
    if (error instanceof IdentityFault) return error.reason;
    throw error;
  }
}

describe('a WebIdentityToken that clients read from a file', () => {
  it.each(['', '\n', '\r\n', ' ', '\t', ' \t\r\n\n'])('is accepted with %j at its end', async (end) => {
    expect(await judge((await world.mint()) + end)).toBe('subject-1');
  });

  it.each(['\0', '\v', '\f', '\u0085', '\u00a0', '\u2028', '\ufeff', '.', '=', '\n.'])(
    'is refused with %j at its end',
    async (end) => {
      expect(await judge((await world.mint()) + end)).toBe('malformed');
    },
  );

  it('is refused with white space before or within it, and nothing else is a token', async () => {
    const token = await world.mint();
    for (const text of [`\n${token}`, ` ${token}`, token.replace('.', '.\n'), token.replace('.', '\n.')]) {
      expect(await judge(text)).toBe('malformed');
    }
    for (const text of ['', '\n', ' '.repeat(20_000)]) expect(await judge(text)).toBe('malformed');
  });
});
