import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { stsActions } from '../../src/sts/actions/index.ts';

/** Every action and its parameters, typed from the AWS STS API Reference 2011-06-15 and MinIO's STS documents. */
const contract: Readonly<Record<string, string>> = {
  AssumeRole:
    'RoleArn RoleSessionName PolicyArns Policy DurationSeconds Tags TransitiveTagKeys ExternalId SerialNumber TokenCode SourceIdentity ProvidedContexts',
  AssumeRoleWithWebIdentity:
    'WebIdentityToken RoleArn RoleSessionName ProviderId PolicyArns Policy DurationSeconds WebIdentityAccessToken',
  AssumeRoleWithSAML: 'RoleArn PrincipalArn SAMLAssertion PolicyArns Policy DurationSeconds',
  AssumeRoleWithCustomToken: 'Token RoleArn DurationSeconds',
  GetSessionToken: 'DurationSeconds SerialNumber TokenCode',
  GetFederationToken: 'Name Policy PolicyArns DurationSeconds Tags',
  GetCallerIdentity: 'none',
  GetAccessKeyInfo: 'AccessKeyId',
  DecodeAuthorizationMessage: 'EncodedMessage',
};
const page = new URL('../../docs/sts.md', import.meta.url);
const rows = [
  ...readFileSync(page, 'utf8').matchAll(/^\| `(\w+)`\s*\| (?:`(\w+)`|none)\s*\| [^|]+\| ([^|]+)\|$/gm),
]
  .map(([, action = '', parameter = 'none', tests = '']) => ({
    action,
    parameter,
    tests: [...tests.matchAll(/\]\(([^)]+)\)/g)].map(([, path = '']) => path),
  }))
  .filter(({ action }) => action in contract);

describe('the table of parameters in docs/sts.md', () => {
  it('is about every action that the program performs', () => {
    expect(Object.keys(contract).sort()).toEqual([...stsActions.keys()].sort());
  });

  it('has every action and parameter once, and no others', () => {
    const wanted = Object.entries(contract).flatMap(([action, parameters]) =>
      parameters.split(' ').map((parameter) => `${action} ${parameter}`),
    );
    expect(rows.map(({ action, parameter }) => `${action} ${parameter}`).sort()).toEqual(wanted.sort());
  });

  it.each(rows)('names tests of $action $parameter', ({ action, parameter, tests }) => {
    expect(tests.length).toBeGreaterThan(0);
    for (const path of tests) {
      const file = new URL(path, page);
      expect(existsSync(file), path).toBe(true);
      const text = readFileSync(file, 'utf8');
      if (parameter !== 'none') expect(text).toMatch(new RegExp(`\\b${parameter}\\b`));
    }
    const all = tests.map((path) => readFileSync(new URL(path, page), 'utf8')).join('\n');
    // Some tests of AssumeRole name it in a fixture only.
    if (action !== 'AssumeRole') expect(all).toContain(action);
  });
});
