import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { flood, type Listener, redirect, status, text } from './misbehaving-issuer.ts';
import { type ProviderCase, type ProviderWorld, startProviderWorld, verdict } from './provider-world.ts';

/** What every kind of provider does when its issuer answers without a usable key. */
export function describeWithdrawal(one: ProviderCase): void {
  describe(`the keys of a provider of kind ${one.kind}`, () => {
    let world: ProviderWorld;
    beforeEach(async () => {
      world = await startProviderWorld(one);
    });
    afterEach(() => world.stop());
    const judge = async (token: string | Promise<string>): Promise<string> => verdict(world, await token);
    const now = (): number => Math.floor(world.clock.now() / 1000);

    it.each<[string, Listener]>([
      ['an empty key set', text('{"keys":[]}')],
      ['no key set', text('{}')],
      ['404', status(404)],
      ['HTML', text('<html></html>')],
      ['too much', flood],
      ['a redirect', redirect],
    ])('are refused after ten minutes when the issuer answers %s', async (_, listener) => {
      const token = await world.mint({ exp: now() + 100_000 });
      expect(await judge(token)).toBe('accepted');
      world.idp.answerWith(listener);
      world.clock.advance(300_000);
      await judge(world.mint({}, { kid: 'new' }));
      world.idp.answerWith(undefined);
      expect(await judge(token)).toBe('accepted');
      world.idp.answerWith(listener);
      world.clock.advance(300_000);
      expect(await judge(token)).toBe('no_key');
      world.clock.advance(50_000);
      expect(await judge(token)).toBe('no_key');
      // An outage afterwards does not bring them back.
      world.idp.answerWith(status(503));
      world.clock.advance(50_000);
      expect(await judge(token)).toBe('provider_unreachable');
      world.idp.answerWith(undefined);
      world.clock.advance(1_500);
      expect(await judge(token)).toBe('accepted');
    });

    it('that the issuer keeps for encryption are refused after ten minutes', async () => {
      const token = await world.mint({ exp: now() + 100_000 });
      expect(await judge(token)).toBe('accepted');
      world.idp.publish([{ ...world.idp.key().publicJwk, use: 'enc' }]);
      world.clock.advance(600_000);
      expect(await judge(token)).toBe('no_key');
    });
  });
}
