import { describe, expect, it } from 'vitest';
import { configuration, load, validSections } from './samples.ts';

const listening = (server: string): readonly string[] =>
  load(configuration({ server: `server: ${server}` })).warnings;

const behind = (endpoint: string): readonly string[] =>
  load(configuration({ backend: validSections['backend']?.replace('http://127.0.0.1:9001', endpoint) }))
    .warnings;

const asking = (...origins: string[]): readonly string[] =>
  load(configuration({ outbound: `outbound: { allowHttp: ${JSON.stringify(origins)} }` })).warnings;

describe('plain HTTP beyond loopback', () => {
  it.each(['0.0.0.0:9000', '[::]:9000', '10.0.0.7:9000', 's3.example.com:9000'])(
    'causes a warning where clients connect: %s',
    (listen) => {
      expect(listening(`{ listen: "${listen}" }`)).toEqual([
        'sidecar.yaml:20:19 server.listen: warning: speaks plain HTTP beyond loopback: an attacker on this network can read objects and temporary credentials; set server.tls, or let a proxy end TLS before it and list that proxy in server.trustedProxies',
      ]);
    },
  );

  it.each([
    '{ listen: "127.0.0.1:9000" }',
    '{ listen: "127.8.0.1:9000" }',
    '{ listen: "[::1]:9000" }',
    '{ listen: "localhost:9000" }',
    '{ listen: "0.0.0.0:9000", trustedProxies: [10.0.0.0/8] }',
  ])('causes no warning on loopback, or behind a trusted proxy: %s', (server) => {
    expect(listening(server)).toEqual([]);
  });

  it('causes a warning at the flag that names the address', () => {
    const { warnings } = load(configuration(), { overrides: { listen: '0.0.0.0:9000' } });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^--listen server\.listen: warning: speaks plain HTTP/);
  });

  it.each([
    ['http://store:9001', 1],
    ['http://10.0.0.7', 1],
    ['http://localhost.example.com', 1],
    ['https://store:9001', 0],
    ['http://localhost:9001', 0],
    ['http://[::1]:9001', 0],
  ])('causes a warning on the way to the store: %s', (endpoint, count) => {
    const warnings = behind(endpoint);
    expect(warnings).toHaveLength(count);
    for (const warning of warnings) {
      expect(warning).toMatch(
        /^sidecar\.yaml:3:13 backend\.endpoint: warning: is plain HTTP beyond loopback/,
      );
    }
  });

  it('causes a warning on the way to identity providers', () => {
    const warnings = asking('http://127.0.0.1:8080', 'http://idp.example.com', 'http://[::1]');
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/outbound\.allowHttp\[1\]: warning: is plain HTTP beyond loopback/);
  });
});
