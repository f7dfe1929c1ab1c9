import { describe, expect, it } from 'vitest';
import { adoptSettings } from '../../src/app/fixed-settings.ts';
import { parseConfiguration } from '../../src/config/load.ts';
import type { Settings } from '../../src/config/settings.ts';

const variables: Readonly<Record<string, string>> = {
  TOKENS: Buffer.alloc(32, 'k').toString('base64'),
  SECRET: 'a-secret',
};

interface Changed {
  readonly endpoint?: string;
  readonly storeKey?: string;
  readonly container?: string;
}

const policy = (action: string): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: action, Resource: '*' }] });

function settingsOf({
  endpoint = 'http://127.0.0.1:9001',
  storeKey = 'KEY',
  container = '',
}: Changed): Settings {
  const loaded = parseConfiguration(
    `apiVersion: sts-sidecar/v1
backend: { endpoint: "${endpoint}", credentials: { accessKeyId: ${storeKey}, secretAccessKey: { env: SECRET } } }
account: { id: "123456789012" }
tokens: { sealWith: k1, keys: [{ id: k1, secret: { env: TOKENS } }] }
${container}
directory: {}
`,
    'test.yaml',
    {
      environment: (name) => variables[name],
      readText: () => ({ ok: false, reason: 'is no test file' }),
    },
  );
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
  return loaded.settings;
}

const listening = (action: string, port = 9092): string =>
  `containerCredentials: { listen: "127.0.0.1:${port}", scopeDownPolicy: ${policy(action)} }`;

describe('settings that follow others', () => {
  it('have the key of the new store only together with its endpoint', () => {
    const moved = adoptSettings(
      settingsOf({}),
      settingsOf({ endpoint: 'http://127.0.0.1:9999', storeKey: 'OTHER' }),
    );
    expect(moved.settings.backend.credentials.accessKeyId).toBe('KEY');
    expect(moved.settings.backend.endpoint).toBe('http://127.0.0.1:9001');
    expect(moved.needRestart).toEqual(['backend']);
    const rotated = adoptSettings(settingsOf({}), settingsOf({ storeKey: 'OTHER' }));
    expect(rotated.settings.backend.credentials.accessKeyId).toBe('OTHER');
    expect(rotated.needRestart).toEqual([]);
  });

  it('keep the scope-down policy of a listener that stays open without a section', () => {
    const { settings, needRestart } = adoptSettings(
      settingsOf({ container: listening('s3:GetObject') }),
      settingsOf({}),
    );
    expect(settings.containerCredentials.scopeDownPolicy).toContain('s3:GetObject');
    expect(needRestart).toEqual(['containerCredentials.listen']);
  });

  it('have the new scope-down policy of the listener, also when that should move', () => {
    const current = settingsOf({ container: listening('s3:GetObject') });
    for (const port of [9092, 9093]) {
      const { settings } = adoptSettings(current, settingsOf({ container: listening('s3:PutObject', port) }));
      expect(settings.containerCredentials.scopeDownPolicy).toContain('s3:PutObject');
      expect(settings.containerCredentials.listen?.port).toBe(9092);
    }
  });

  it('open no listener that was not there at the start', () => {
    const { settings } = adoptSettings(settingsOf({}), settingsOf({ container: listening('s3:GetObject') }));
    expect(settings.containerCredentials).toEqual({});
  });
});
