import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAuthority } from '../support/authority.ts';
import { type Program, startProgram } from '../support/program.ts';
import { secureSocket } from '../support/tls-clients.ts';

const authority = createAuthority();
const issued = authority.issue({ names: ['localhost'] });
let usual: Program;
let newer: Program;

beforeAll(async () => {
  const start = (further: string): Promise<Program> =>
    startProgram({
      server: `tls: { certFile: tls.crt, keyFile: tls.key${further} }`,
      files: { 'tls.crt': issued.certPem, 'tls.key': issued.keyPem },
    });
  [usual, newer] = await Promise.all([start(''), start(', maxVersion: TLSv1.3')]);
}, 120_000);
afterAll(() => Promise.all([usual.stop(), newer.stop()]));

/** The version of a handshake by a client that offers one version, and these groups; `refused` without one. */
async function shaken({ url }: Program, version: 'TLSv1.2' | 'TLSv1.3', groups = 'auto'): Promise<string> {
  try {
    const socket = await secureSocket(url, {
      ca: authority.certPem,
      minVersion: version,
      maxVersion: version,
      ecdhCurve: groups,
    });
    const protocol = socket.getProtocol();
    socket.destroy();
    return String(protocol);
  } catch {
    return 'refused';
  }
}

describe('a listener', () => {
  it('speaks TLS 1.2 unless it is told otherwise: with 1.3, strangers can repeat key updates', async () => {
    expect(await shaken(usual, 'TLSv1.2')).toBe('TLSv1.2');
    expect(await shaken(usual, 'TLSv1.3')).toBe('refused');
  });

  it('speaks TLS 1.3 with maxVersion', async () => {
    expect(await shaken(newer, 'TLSv1.2')).toBe('TLSv1.2');
    expect(await shaken(newer, 'TLSv1.3')).toBe('TLSv1.3');
  });

  it.each(['X25519', 'prime256v1', 'secp384r1'])('exchanges keys in %s', async (group) => {
    // With 1.2 the client must know the group of the certificate, too.
    const groups = group === 'prime256v1' ? group : `${group}:prime256v1`;
    expect(await shaken(usual, 'TLSv1.2', groups)).toBe('TLSv1.2');
    expect(await shaken(newer, 'TLSv1.3', group)).toBe('TLSv1.3');
  });

  it.each(['ffdhe2048', 'ffdhe3072', 'ffdhe4096', 'ffdhe6144', 'ffdhe8192', 'X448', 'secp521r1'])(
    'refuses a client that offers %s alone, of which one ClientHello takes up to 125 ms',
    async (group) => {
      expect(await shaken(newer, 'TLSv1.3', group)).toBe('refused');
    },
  );
});
