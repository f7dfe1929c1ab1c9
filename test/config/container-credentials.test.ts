import { describe, expect, it } from 'vitest';
import { configuration, load, problemsOf } from './samples.ts';

const allow = (resource: string): string =>
  `{ Version: "2012-10-17", Statement: { Effect: Allow, Action: "s3:GetObject", Resource: "${resource}" } }`;
const settings = (yaml: string) =>
  load(configuration({ container: `containerCredentials: ${yaml}` })).settings.containerCredentials;
/** The problems of a section, without the place in the file. */
const problems = (yaml: string): string[] =>
  problemsOf(configuration({ container: `containerCredentials: ${yaml}` })).map((line) =>
    line.replace(/^sidecar\.yaml:\d+:\d+ /, ''),
  );

describe('containerCredentials', () => {
  it('is off by default', () => {
    expect(load(configuration({})).settings.containerCredentials).toEqual({});
  });

  it.each([
    ['127.0.0.1:9092', '127.0.0.1'],
    ['localhost:9092', 'localhost'],
    ['127.8.8.8:9092', '127.8.8.8'],
    ['[::1]:9092', '::1'],
    ['169.254.170.2:9092', '169.254.170.2'],
  ])('listens on %s', (listen, host) => {
    expect(settings(`{ listen: "${listen}" }`)).toEqual({ listen: { host, port: 9092 } });
  });

  it.each([
    '0.0.0.0:9092',
    '[::]:9092',
    '10.0.0.1:9092',
    '169.254.170.23:9092',
    '169.254.169.254:9092',
    'example.com:9092',
    '[::ffff:127.0.0.1]:9092',
    '[fd00:ec2::23]:9092',
  ])('refuses to listen on %s', (listen) => {
    expect(problems(`{ listen: "${listen}" }`)).toEqual([
      'containerCredentials.listen: must be a loopback address or 169.254.170.2: its traffic is not encrypted',
    ]);
  });

  it.each([
    ['server', '127.0.0.1:9000'],
    ['admin', '127.0.0.1:9090'],
  ])('refuses the port of %s', (name, listen) => {
    expect(problems(`{ listen: "${listen}" }`)).toEqual([
      `containerCredentials.listen: must not have the port of ${name}.listen`,
    ]);
  });

  it('refuses the port of the store', () => {
    expect(problems('{ listen: "127.0.0.1:9001" }')).toEqual([
      'backend.endpoint: is containerCredentials.listen: the sidecar would forward to itself',
    ]);
  });

  it('keeps the scope-down policy as a call would send it', () => {
    const { scopeDownPolicy } = settings(
      `{ listen: "127.0.0.1:9092", scopeDownPolicy: ${allow('arn:aws:s3:::data/*')} }`,
    );
    expect(JSON.parse(scopeDownPolicy ?? '')).toEqual({
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::data/*' },
    });
  });

  it.each([
    ['text', '"everything"', 'containerCredentials.scopeDownPolicy: must be an object'],
    ['an empty one', '{}', 'containerCredentials.scopeDownPolicy.Statement: '],
    [
      'one with a principal',
      '{ Statement: { Effect: Allow, Principal: { AWS: "123456789012" }, Action: "s3:*", Resource: "*" } }',
      'containerCredentials.scopeDownPolicy.Statement',
    ],
    [
      'one that is longer than a call can send',
      allow(`arn:aws:s3:::${'x'.repeat(2_000)}`),
      'containerCredentials.scopeDownPolicy: is longer than 2048 characters',
    ],
    [
      'one with characters that a call cannot send',
      allow('arn:aws:s3:::data/€'),
      'containerCredentials.scopeDownPolicy: must hold only characters up to U+00FF',
    ],
    ['an empty value', 'null', 'containerCredentials.scopeDownPolicy: must be an object'],
  ])('refuses %s as scope-down policy', (_, policy, problem) => {
    const found = problems(`{ listen: "127.0.0.1:9092", scopeDownPolicy: ${policy} }`);
    expect(found.join('\n')).toContain(problem);
  });

  it('refuses an unknown setting', () => {
    expect(problems('{ listen: "127.0.0.1:9092", host: localhost }')[0]).toContain(
      'containerCredentials.host',
    );
  });

  it('warns of a policy without a listener', () => {
    const { warnings } = load(
      configuration({ container: `containerCredentials: { scopeDownPolicy: ${allow('*')} }` }),
    );
    expect(warnings.join('\n')).toContain(
      'containerCredentials: warning: without listen this listener is off',
    );
  });

  it('warns of words in the scope-down policy that no request has', () => {
    const policy = allow('arn:aws:s3:::data/*').replace('s3:GetObject', 's3:GetObjekt');
    const { warnings } = load(
      configuration({
        container: `containerCredentials: { listen: "127.0.0.1:9092", scopeDownPolicy: ${policy} }`,
      }),
    );
    expect(warnings.join('\n')).toContain(
      'containerCredentials.scopeDownPolicy.Statement.Action: warning: no request asks for',
    );
  });
});
