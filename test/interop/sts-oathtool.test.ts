import { describe, expect, it } from 'vitest';
import {
  accountId,
  arrive,
  assumePolicy,
  buildWorld,
  dependenciesOf,
  keyOf,
  serve,
  version,
} from '../sts/support/sts-fixture.ts';
import { newTotpSecret, oathtoolCode } from './sts/sts-world.ts';

const serialNumber = `arn:aws:iam::${accountId}:mfa/alice`;

describe('codes that oathtool makes', () => {
  it.each(Array.from({ length: 12 }, (_, index) => index))(
    'are accepted at the second they are made for, whatever the secret (%#)',
    async (index) => {
      const secret = newTotpSecret().slice(0, [16, 26, 32][index % 3]);
      const world = buildWorld({
        users: { alice: { inline: [assumePolicy('*')], mfa: { [serialNumber]: secret } } },
      });
      const seconds = 1_700_000_000 + index * 7_654_321;
      const ask = async (TokenCode: string): Promise<string> => {
        const form = { Action: 'GetSessionToken', Version: version, SerialNumber: serialNumber, TokenCode };
        const times = { signedAtMs: seconds * 1000, arrivesAtMs: seconds * 1000 };
        const arrived = await arrive(form, keyOf('alice'), times);
        return (await serve(arrived, dependenciesOf(world))).code;
      };
      expect(await ask(await oathtoolCode(secret, seconds))).toBe('');
      expect(await ask(await oathtoolCode(secret, seconds - 30))).toBe('');
      expect(await ask(await oathtoolCode(secret, seconds + 30))).toBe('');
      expect(await ask(await oathtoolCode(secret, seconds - 120))).toBe('AccessDenied');
      expect(await ask(await oathtoolCode(secret, seconds + 120))).toBe('AccessDenied');
      expect(await ask(await oathtoolCode(newTotpSecret(), seconds))).toBe('AccessDenied');
    },
  );
});
