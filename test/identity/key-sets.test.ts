import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { readKeySet } from '../../src/identity/verification-key.ts';

it('200 keys of the dearest curve are imported a few at a time', async () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-521' });
  const jwk = publicKey.export({ format: 'jwk' });
  let turns = 0;
  let isRead = false;
  const countTurn = (): void => {
    turns += 1;
    if (!isRead) setImmediate(countTurn);
  };
  setImmediate(countTurn);
  const keys = await readKeySet({ keys: Array(200).fill(jwk) });
  isRead = true;
  expect(keys).toHaveLength(200);
  expect(turns).toBeGreaterThanOrEqual(20);
});

it('an RSA key whose exponent is as long as its modulus is left out', async () => {
  const long = (bytes: number): string => {
    const number = randomBytes(bytes);
    number[0] = 0x7f;
    number[bytes - 1] = 0x01;
    return number.toString('base64url');
  };
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 3072 });
  const jwk = publicKey.export({ format: 'jwk' });
  expect(await readKeySet({ keys: [{ ...jwk, e: long(384) }] })).toEqual([]);
  expect(await readKeySet({ keys: [{ ...jwk, e: 'AQAB' }] })).toHaveLength(1);
});
