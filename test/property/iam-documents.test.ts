import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { GlobToken } from '../../src/core/glob.ts';
import {
  type PolicyDocument,
  type PolicyKind,
  type PolicyStatement,
  parsePolicyDocument,
  parsePolicyText,
} from '../../src/iam/document.ts';
import type { PrincipalEntry } from '../../src/iam/match-principal.ts';
import type { ResourcePattern } from '../../src/iam/match-resource.ts';
import type { TemplateToken } from '../../src/iam/variables.ts';
import { variable } from '../support/policy-documents.ts';
import type { RawPolicy } from '../support/reference-evaluator.ts';
import { policy, type RawKind } from './iam-arbitraries.ts';
import { otherRuns, propertyTimeoutMs } from './iam-runs.ts';

vi.setConfig({ testTimeout: propertyTimeoutMs });

function writeToken(token: GlobToken | TemplateToken, hasVariables: boolean): string {
  switch (token.kind) {
    case 'any':
      return '*';
    case 'one':
      return '?';
    case 'text':
      return hasVariables && ['*', '?', '$'].includes(token.text) ? variable(token.text) : token.text;
    case 'variable':
      return variable(token.key + (token.fallback === undefined ? '' : `, '${token.fallback}'`));
  }
}

function writePattern({ head, tail }: ResourcePattern, hasVariables: boolean): string {
  const lastSegment = tail.map((token) => writeToken(token, hasVariables)).join('');
  const segments = head.map((tokens) => tokens.map((token) => writeToken(token, false)).join(''));
  return [...segments, lastSegment].join(':');
}

function writePrincipals(entries: readonly PrincipalEntry[]): RawPolicy['Statement'] | object {
  const named: Record<string, string[]> = {};
  const add = (type: string, value: string): void => {
    named[type] = [...(named[type] ?? []), value];
  };
  for (const entry of entries) {
    if (entry.type === 'everyone') add('AWS', '*');
    else if (entry.type === 'account') add('AWS', `arn:aws:iam::${entry.accountId}:root`);
    else if (entry.type === 'arn') add('AWS', entry.arn);
    else if (entry.type === 'federated') add('Federated', entry.provider);
    else add('Service', entry.name);
  }
  return named;
}

function writeStatement(statement: PolicyStatement, hasVariables: boolean): object {
  const { sid, effect, actions, resources, principals, conditions } = statement;
  const Condition: Record<string, Record<string, readonly string[]>> = {};
  for (const { operator, name, values } of conditions) {
    Condition[operator] = { ...Condition[operator], [name]: values };
  }
  const not = (element: { isNegated: boolean }, name: string): string =>
    element.isNegated ? `Not${name}` : name;
  return {
    ...(sid === undefined ? {} : { Sid: sid }),
    Effect: effect,
    [not(actions, 'Action')]: actions.values.map(({ service, name }) => `${service}:${name}`),
    ...(resources && {
      [not(resources, 'Resource')]: resources.values.map((pattern) => writePattern(pattern, hasVariables)),
    }),
    ...(principals && { [not(principals, 'Principal')]: writePrincipals(principals.values) }),
    ...(conditions.length > 0 && { Condition }),
  };
}

function writeDocument({ version, id, statements }: PolicyDocument): object {
  const hasVariables = version === '2012-10-17';
  return {
    Version: version,
    ...(id === undefined ? {} : { Id: id }),
    Statement: statements.map((statement) => writeStatement(statement, hasVariables)),
  };
}

/**
 * A document without the functions that its conditions were compiled to, which differ each time, and without the spelling of its
 * patterns.
 */
function dataOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(dataOf);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  const members = Object.entries(value).filter(
    ([name, member]) => typeof member !== 'function' && name !== 'source',
  );
  return Object.fromEntries(members.map(([name, member]) => [name, dataOf(member)]));
}

const kinds: readonly (readonly [RawKind, PolicyKind])[] = [
  ['identity', 'identity'],
  ['identity', 'boundary'],
  ['resource', 'resource'],
  ['trust', 'trust'],
];

describe.each(kinds)('a random %s policy read as %s', (drawn, kind) => {
  it('is the same after it is parsed and written again', () => {
    fc.assert(
      fc.property(policy(drawn), (source) => {
        const document = parsePolicyDocument(source, kind);
        const again = parsePolicyDocument(writeDocument(document), kind);
        // Lists of one are written as lists, so the size differs.
        const { characters } = again;
        expect(dataOf(again)).toEqual(dataOf({ ...document, characters }));
      }),
      { numRuns: otherRuns / 4 },
    );
  });

  it('is the same as text, however it is indented and its elements are ordered', () => {
    fc.assert(
      fc.property(policy(drawn), fc.constantFrom(undefined, 1, '\t'), (source, indentation) => {
        const reversed = Object.fromEntries(Object.entries(source).reverse());
        const text = JSON.stringify(reversed, undefined, indentation);
        expect(dataOf(parsePolicyText(text, kind))).toEqual(dataOf(parsePolicyDocument(source, kind)));
      }),
      { numRuns: otherRuns / 4 },
    );
  });
});

describe('arbitrary data', () => {
  const names = [
    'Version',
    'Statement',
    'Effect',
    'Action',
    'Resource',
    'Condition',
    'Principal',
    'Allow',
    '*',
  ];
  const leaf = fc.oneof(
    fc.constantFrom(...names, '2012-10-17', 's3:*', null, true, 0),
    fc.string(),
    fc.double(),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      leaf,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), tie('value'), { maxKeys: 5 }),
    ),
  }));

  it.each(['identity', 'session', 'resource', 'trust'] as const)(
    'is refused with the problems of a policy document, and nothing else, as %s policy',
    (kind) => {
      fc.assert(
        fc.property(value, (source) => {
          const read = (): PolicyDocument => parsePolicyDocument(source, kind);
          expect(read).toThrow(expect.objectContaining({ name: 'PolicyDocumentError' }));
        }),
        { numRuns: otherRuns / 4 },
      );
    },
  );
});
