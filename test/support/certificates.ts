import { createPublicKey, type KeyObject, sign } from 'node:crypto';

/** One value in DER: tag, length, content. */
export function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  const { length } = body;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
}

/** Signature algorithms, in hex, by type of key. */
export const oids: Readonly<Record<string, string>> = {
  rsa: '300d06092a864886f70d01010b0500',
  ec: '300a06082a8648ce3d040302',
};

/** A self-signed certificate (RFC 5280), DER in base64. It expired in 2001, like those of many metadata files. */
export function selfSigned(privateKey: KeyObject, commonName = 'test', end = '010101000000Z'): string {
  const algorithm = Buffer.from(oids[privateKey.asymmetricKeyType ?? ''] ?? '', 'hex');
  const type = Buffer.from('0603550403', 'hex');
  const name = der(0x30, der(0x31, der(0x30, type, der(0x0c, Buffer.from(commonName)))));
  const time = (text: string): Buffer => der(0x17, Buffer.from(text));
  const body = der(
    0x30,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    algorithm,
    name,
    der(0x30, time('000101000000Z'), time(end)),
    name,
    createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
  );
  const signature = sign('sha256', body, privateKey);
  return der(0x30, body, algorithm, der(0x03, Buffer.from([0]), signature)).toString('base64');
}
