import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IdentityFault } from '../../src/identity/identity-fault.ts';
import { type Voucher, vouchers } from './vouchers.ts';

describe.each(Object.entries(vouchers))('a provider of the kind %s', (_, start) => {
  let voucher: Voucher;
  beforeEach(async () => {
    voucher = await start();
  });
  afterEach(() => voucher.stop());

  const fault = async (shown: string): Promise<IdentityFault> => {
    const error = await voucher.identify(shown).then(
      () => new Error('it was accepted'),
      (caught: unknown) => caught,
    );
    if (error instanceof IdentityFault) return error;
    throw error;
  };

  it('says under which name it vouches', async () => {
    expect((await voucher.identify(await voucher.good())).provider).toBe(voucher.name);
  });

  it('refuses a proof that it does not accept, and says that it was asked', async () => {
    expect((await fault(await voucher.foreign())).provider).toBe(voucher.name);
  });

  it.each([
    ['nothing', ''],
    ['a letter', 'x'],
    ['white space', ' \r\n\t '],
    ['NUL', '\0'],
    ['words', 'let me in, please'],
    ['dots', '...'],
    ['an object', '{"sub":"root"}'],
    ['XML', '<saml/>'],
    ['an emoji', '🔑'],
    ['20,000 letters', 'A'.repeat(20_000)],
  ])('refuses %s with a typed reason', async (_name, shown) => {
    const { provider, reason } = await fault(shown);
    expect([undefined, voucher.name]).toContain(provider);
    expect(reason).not.toBe('provider_unreachable');
  });

  it('never repeats the proof that it was shown', async () => {
    const foreign = await voucher.foreign();
    for (const shown of [foreign, `${foreign}secret-tail`, 'secret-word']) {
      const { message, detail = '', cause } = await fault(shown);
      for (const text of [message, detail, String(cause)]) {
        expect(text).not.toContain(shown);
        expect(text).not.toContain('secret-');
      }
    }
  });

  it('judges each on its own, many at a time', async () => {
    const shown = await Promise.all(
      Array.from({ length: 20 }, (_each, index) => (index % 2 === 0 ? voucher.good() : voucher.foreign())),
    );
    const verdicts = await Promise.all(
      shown.map((one) =>
        voucher.identify(one).then(
          ({ provider }) => provider,
          () => 'refused',
        ),
      ),
    );
    expect(verdicts).toEqual(shown.map((_one, index) => (index % 2 === 0 ? voucher.name : 'refused')));
  });
});
