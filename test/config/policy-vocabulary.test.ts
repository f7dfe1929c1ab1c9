import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { policyVocabulary } from '../../src/app/policy-vocabulary.ts';
import { operationVectors } from '../s3/vectors.ts';

const keys = policyVocabulary.keys.map(({ name }) => name);
const actions = policyVocabulary.actions.map(({ name }) => name);
const source = (name: string): string => readFileSync(new URL(`../../src/${name}`, import.meta.url), 'utf8');

/** Names of the keys that a file gives to requests: the first members of its entries. */
function keysWrittenIn(name: string): string[] {
  return [...source(name).matchAll(/\[['`]((?:aws|sts|saml):[A-Za-z_]+\/?)/g)].map(([, key = '']) => key);
}

describe('the vocabulary of policies', () => {
  it.each([
    'authorize/global-keys.ts',
    'sts/grants/trust-question.ts',
    'sts/session-tags.ts',
    'identity/saml/condition-keys.ts',
    's3/condition-keys.ts',
  ])('holds every key that requests get in %s', (name) => {
    const written = keysWrittenIn(name);
    expect(written.length).toBeGreaterThan(0);
    for (const key of written) {
      const known = policyVocabulary.keys.find((one) => one.name.toLowerCase() === key.toLowerCase());
      expect(known, key).toBeDefined();
      expect(known?.never, key).toBeUndefined();
    }
  });

  it('holds no key twice', () => {
    const names = keys.map((key) => key.toLowerCase());
    expect(names.filter((name, index) => names.indexOf(name) < index)).toEqual([]);
  });

  it('holds every action that a vector of S3 needs, with its kind of resource', () => {
    const needed = operationVectors.flatMap(({ authorizations }) =>
      authorizations.flatMap(({ permissions = [], items = [] }) => [
        ...permissions,
        ...items.flatMap((item) => item.permissions),
      ]),
    );
    expect(needed.length).toBeGreaterThan(100);
    for (const permission of needed) {
      const [action = '', resource = ''] = permission.split(' ');
      const known = policyVocabulary.actions.find(({ name }) => name === action);
      expect(known, permission).toBeDefined();
      const [, tail] = resource.split(':s3:::');
      if (known?.scopes === undefined || tail === undefined) continue;
      const scope = tail === '*' ? 'service' : tail.includes('/') ? 'object' : 'bucket';
      expect([...known.scopes], permission).toContain(scope);
    }
  });

  it('holds the STS actions that policies decide on', () => {
    for (const action of ['AssumeRole', 'GetFederationToken', 'DecodeAuthorizationMessage', 'TagSession']) {
      expect(actions).toContain(`sts:${action}`);
    }
  });
});
