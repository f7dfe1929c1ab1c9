import { describe, expect, it } from 'vitest';
import { configuration, load, problemsOf, validSections } from './samples.ts';

const withBackend = (lines: string, policies = ''): string =>
  configuration({
    backend: `${validSections['backend']}\n  ${lines}`,
    directory: `${validSections['directory']}\n  bucketPolicies: { ${policies} }`,
  });

const warningsOf = (lines: string, policies?: string): readonly string[] =>
  load(withBackend(lines, policies)).warnings.map((line) => line.replace(/^\S+ /, ''));

const grant = (bucket: string, principal: string, action: string): string =>
  `${bucket}: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: ${principal}, ${action}, Resource: "arn:aws:s3:::${bucket}/*" }] }`;

describe('config check warns', () => {
  it('of buckets that everyone may change', () => {
    const policies = [
      grant('reads', '"*"', 'Action: ["s3:GetObject", "s3:List*"]'),
      grant('writes', '{ AWS: "*" }', 'Action: ["s3:GetObject", "s3:PutObject"]'),
      grant('most', '"*"', 'NotAction: "s3:DeleteObject"'),
      grant('named', '{ AWS: "123456789012" }', 'Action: "s3:*"'),
    ].join(', ');
    expect(warningsOf('anonymous: policy', policies)).toEqual([
      'backend.anonymous: warning: policy: bucket policies let clients without credentials do more than read: "writes", "most"',
    ]);
    expect(warningsOf('anonymous: reject', policies)).toEqual([]);
  });

  it('of what the store decides', () => {
    expect(warningsOf('anonymous: passthrough')).toEqual([
      expect.stringMatching(/^backend\.anonymous: warning: passthrough: the store's own policies/),
    ]);
    expect(warningsOf('unknownAccessKeys: passthrough')).toEqual([
      expect.stringMatching(/^backend\.unknownAccessKeys: warning: passthrough: the store's own policies/),
    ]);
    expect(warningsOf('passthrough: [/minio/health/]')).toEqual([
      expect.stringMatching(/^backend\.passthrough\[0\]: warning: GET and HEAD .* bucket "minio"$/),
    ]);
  });
});

it.each([
  '/',
  '',
  'minio',
  '//',
  '/minio//',
  '/a%20b/',
  '/a/../b',
  '/..',
  '/a/.',
  '/a\\\\b',
  '/a?b',
  '/a#b',
  `/${'a'.repeat(256)}`,
])('a prefix must be the beginning of a plain path: %j', (prefix) => {
  const problems = problemsOf(withBackend(`passthrough: ["${prefix}"]`));
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain('backend.passthrough[0]: must be the beginning of a path');
});

it('there are neither other values, nor other words', () => {
  expect(problemsOf(withBackend('anonymous: allow'))[0]).toContain(
    'must be one of "reject", "policy", "passthrough"',
  );
  expect(problemsOf(withBackend('unknownAccessKeys: policy'))[0]).toContain(
    'must be one of "reject", "passthrough"',
  );
});
