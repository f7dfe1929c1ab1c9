import { describe, expect, it } from 'vitest';
import { type LoadResult, parseConfiguration } from '../../src/config/load.ts';
import type { Settings } from '../../src/config/settings.ts';

const files: Readonly<Record<string, string>> = {
  'ca.pem': 'CA',
  'cert.pem': 'CERTIFICATE',
  'key.pem': 'KEY',
};

function load(variables: Readonly<Record<string, string>>): LoadResult {
  const all: Readonly<Record<string, string>> = {
    TOKENS: Buffer.alloc(32, 'k').toString('base64'),
    SECRET: 'a-secret',
    ...variables,
  };
  return parseConfiguration(
    `apiVersion: sts-sidecar/v1
backend: { endpoint: "http://127.0.0.1:9001", credentials: { accessKeyId: KEY, secretAccessKey: { env: SECRET } } }
account: { id: "123456789012" }
tokens: { sealWith: k1, keys: [{ id: k1, secret: { env: TOKENS } }] }
directory: {}
`,
    'test.yaml',
    {
      environment: (name) => all[name],
      telemetry: (name) => all[name],
      readText: (path) => {
        const text = files[path];
        return text === undefined ? { ok: false, reason: 'is no test file' } : { ok: true, text };
      },
    },
  );
}

function tracingOf(variables: Readonly<Record<string, string>>): Settings['tracing'] {
  const loaded = load(variables);
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
  return loaded.settings.tracing;
}

function problemsOf(variables: Readonly<Record<string, string>>): readonly string[] {
  const loaded = load({ ...toCollector, ...variables });
  return loaded.ok ? [] : loaded.problems;
}

const toCollector = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };

describe('tracing', () => {
  it.each([
    [{}],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: '' }],
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_TRACES_SAMPLER: 'unheard-of' }],
    [{ ...toCollector, OTEL_SDK_DISABLED: 'TRUE' }],
    [{ ...toCollector, OTEL_SDK_DISABLED: 'true', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }],
    [{ ...toCollector, OTEL_TRACES_EXPORTER: 'none' }],
    [{ ...toCollector, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }],
  ])('is off with %j', (variables) => {
    expect(tracingOf(variables)).toBeUndefined();
  });

  it('has the defaults of the specification', () => {
    expect(tracingOf({ ...toCollector, OTEL_SDK_DISABLED: 'no' })).toEqual({
      url: 'http://127.0.0.1:4318/v1/traces',
      protocol: 'http/protobuf',
      headers: {},
      resource: {},
      serviceName: 'sts-sidecar',
      sampler: 'parentbased_always_on',
      ratio: 1,
      caPem: undefined,
      certPem: undefined,
      keyPem: undefined,
    });
  });

  it('prefers the variables of traces', () => {
    const tracing = tracingOf({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://all.example/base/',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://traces.example/here',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json',
      OTEL_EXPORTER_OTLP_CERTIFICATE: 'none.pem',
      OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE: 'ca.pem',
      OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: 'cert.pem',
      OTEL_EXPORTER_OTLP_CLIENT_KEY: 'key.pem',
    });
    expect(tracing).toMatchObject({
      url: 'https://traces.example/here',
      protocol: 'http/json',
      caPem: 'CA',
      certPem: 'CERTIFICATE',
    });
    expect(tracing?.keyPem?.reveal()).toBe('KEY');
  });

  it('appends the path of traces to the endpoint of all signals', () => {
    expect(tracingOf({ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://all.example/base/' })?.url).toBe(
      'https://all.example/base/v1/traces',
    );
  });

  it.each([
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'http', 'must be http/protobuf or http/json'],
    [
      'OTEL_EXPORTER_OTLP_ENDPOINT',
      'collector:4317',
      'must be an http or https URL without query and fragment',
    ],
    [
      'OTEL_EXPORTER_OTLP_ENDPOINT',
      'http://c/?key=secret',
      'must be an http or https URL without query and fragment',
    ],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'http://u:secret@c/', 'must have no user and no password'],
    ['OTEL_TRACES_EXPORTER', 'zipkin', 'must be otlp or none'],
    [
      'OTEL_TRACES_SAMPLER',
      'jaeger_remote',
      /^must be one of always_on, always_off, traceidratio, parentbased_/,
    ],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'secret', /^must be a list of name=value/],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a=secret%0d%0ab:c', /^must be a list of name=value/],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a=secret%zz', /^must be a list of name=value/],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a=%E4%B8%ADsecret', /^must be a list of name=value/],
    ['OTEL_EXPORTER_OTLP_COMPRESSION', 'zstd', 'must be gzip or none'],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', '0', /^must be a whole number of milliseconds/],
    ['OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', '10s', /^must be a whole number of milliseconds/],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'host=secret', /^must be a list of name=value/],
    ['OTEL_EXPORTER_OTLP_TRACES_HEADERS', 'a b=secret', /^must be a list of name=value/],
    ['OTEL_RESOURCE_ATTRIBUTES', 'team', /^must be a list of name=value/],
    ['OTEL_EXPORTER_OTLP_CLIENT_KEY', 'key.pem', 'needs the other one of CLIENT_CERTIFICATE and CLIENT_KEY'],
    [
      'OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE',
      'cert.pem',
      'needs the other one of CLIENT_CERTIFICATE and CLIENT_KEY',
    ],
    ['OTEL_EXPORTER_OTLP_CERTIFICATE', 'secret.pem', 'names a file that is no test file'],
  ])('refuses %s=%s', (name, value, message) => {
    const problems = problemsOf({ [name]: value });
    expect(problems).toEqual([expect.stringMatching(new RegExp(`^${name} `))]);
    const [problem = ''] = problems;
    expect(problem.slice(name.length + 1)).toMatch(message);
    expect(problem).not.toContain('secret');
  });

  it.each(['', '-0.1', '1.1', '0,5', '1e-3', 'NaN', '0x1'])('refuses the ratio %j', (ratio) => {
    const problems = problemsOf({ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: ratio });
    expect(problems).toEqual(ratio === '' ? [] : ['OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1']);
  });

  it.each([
    ['0', 0],
    ['1', 1],
    ['1.0', 1],
    ['0.25', 0.25],
    ['.5', 0.5],
  ])('takes the ratio %s', (ratio, expected) => {
    const variables = { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: ratio };
    expect(tracingOf({ ...toCollector, ...variables })?.ratio).toBe(expected);
  });

  it('warns of headers that leave the machine in plain HTTP', () => {
    const headers = { OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20key' };
    const warningsOf = (endpoint: string): readonly string[] => {
      const loaded = load({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, ...headers });
      return loaded.ok ? loaded.warnings : [];
    };
    expect(warningsOf('http://127.0.0.1:4318')).toEqual([]);
    expect(warningsOf('https://collector:4318')).toEqual([]);
    expect(warningsOf('http://collector:4318')).toEqual([
      'OTEL_EXPORTER_OTLP_ENDPOINT warning: is plain HTTP beyond loopback: an attacker on this network can read the headers',
    ]);
  });
});
