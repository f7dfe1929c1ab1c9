import { isLoopbackHost } from '../core/loopback.ts';
import { Secret } from '../core/secret.ts';
import type { SamplerName, TracingSettings } from '../tracing/tracing.ts';
import { OtelVariables } from './otel-variables.ts';
import type { ReadingContext } from './reading.ts';

/**
 * Reads the environment variables of OpenTelemetry. `undefined` while no endpoint is set, or when tracing is switched off. What this
 * program cannot do as they say is a problem, so that no span goes where it should not.
 */
export function readTracing(context: ReadingContext): TracingSettings | undefined {
  const variables = new OtelVariables(context);
  const endpoint = variables.ofTraces('ENDPOINT');
  if (endpoint === undefined) return undefined;
  if (variables.get('OTEL_SDK_DISABLED')?.value.toLowerCase() === 'true') return undefined;
  const exporter = variables.get('OTEL_TRACES_EXPORTER');
  if (exporter?.value === 'none') return undefined;
  if (exporter !== undefined && exporter.value !== 'otlp')
    variables.problem(exporter, 'must be otlp or none');
  const protocol = variables.ofTraces('PROTOCOL');
  // What the operator of OpenTelemetry for Kubernetes sets for every program must not keep this one from starting.
  if (protocol?.value === 'grpc') {
    variables.warn(
      protocol,
      'is grpc, so no spans are exported: set http/protobuf, and an endpoint that speaks HTTP',
    );
    return undefined;
  }
  const url = readUrl(variables, endpoint);
  const resource = variables.pairs('OTEL_RESOURCE_ATTRIBUTES', isAttributeName);
  const headers = {
    ...variables.pairs('OTEL_EXPORTER_OTLP_HEADERS', isHeaderName, isHeaderValue),
    ...variables.pairs('OTEL_EXPORTER_OTLP_TRACES_HEADERS', isHeaderName, isHeaderValue),
  };
  requireOwnSettings(variables);
  if (Object.keys(headers).length > 0 && isPlainBeyondLoopback(url))
    variables.warn(
      endpoint,
      'is plain HTTP beyond loopback: an attacker on this network can read the headers',
    );
  const [certificate, key] = [variables.ofTraces('CLIENT_CERTIFICATE'), variables.ofTraces('CLIENT_KEY')];
  const either = certificate ?? key;
  if (either !== undefined && (certificate === undefined || key === undefined))
    variables.problem(either, 'needs the other one of CLIENT_CERTIFICATE and CLIENT_KEY');
  const keyPem = variables.file('CLIENT_KEY');
  return {
    url,
    protocol: readProtocol(protocol, variables),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, new Secret(value)])),
    caPem: variables.file('CERTIFICATE'),
    certPem: variables.file('CLIENT_CERTIFICATE'),
    keyPem: keyPem === undefined ? undefined : new Secret(keyPem),
    resource,
    serviceName: variables.get('OTEL_SERVICE_NAME')?.value ?? resource['service.name'] ?? 'sts-sidecar',
    ...readSampler(variables),
  };
}

type Variable = NonNullable<ReturnType<OtelVariables['get']>>;

/** The endpoint of all signals is the folder of that of traces. */
function readUrl(variables: OtelVariables, endpoint: Variable): string {
  const { name, value } = endpoint;
  if (!/^https?:\/\/[\x21-\x7e]{1,2040}$/i.test(value) || /[#?\\]/.test(value) || !URL.canParse(value)) {
    variables.problem(endpoint, 'must be an http or https URL without query and fragment');
    return value;
  }
  const { username, password } = new URL(value);
  if (username !== '' || password !== '') variables.problem(endpoint, 'must have no user and no password');
  return name === 'OTEL_EXPORTER_OTLP_ENDPOINT' ? `${value.replace(/\/$/, '')}/v1/traces` : value;
}

function readProtocol(protocol: Variable | undefined, variables: OtelVariables): TracingSettings['protocol'] {
  if (protocol === undefined || protocol.value === 'http/protobuf') return 'http/protobuf';
  if (protocol.value !== 'http/json') variables.problem(protocol, 'must be http/protobuf or http/json');
  return 'http/json';
}

/** Those that the exporter reads itself, and takes the default for where it cannot read them. */
function requireOwnSettings(variables: OtelVariables): void {
  const compression = variables.ofTraces('COMPRESSION');
  if (compression !== undefined && !/^(?:gzip|none)$/.test(compression.value))
    variables.problem(compression, 'must be gzip or none');
  const timeout = variables.ofTraces('TIMEOUT');
  if (timeout !== undefined && !/^[1-9]\d{0,8}$/.test(timeout.value))
    variables.problem(timeout, 'must be a whole number of milliseconds from 1 to 999999999');
}

const samplers: ReadonlySet<string> = new Set<SamplerName>([
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
]);

function readSampler(variables: OtelVariables): Pick<TracingSettings, 'sampler' | 'ratio'> {
  const sampler = variables.get('OTEL_TRACES_SAMPLER');
  if (sampler !== undefined && !isSampler(sampler.value))
    variables.problem(sampler, `must be one of ${[...samplers].join(', ')}`);
  const ratio = variables.get('OTEL_TRACES_SAMPLER_ARG');
  const isRatio = sampler?.value.endsWith('traceidratio') === true && ratio !== undefined;
  if (isRatio && !(/^[01]?(?:\.\d{1,18})?$/.test(ratio.value) && Number(ratio.value) <= 1))
    variables.problem(ratio, 'must be a number from 0 to 1');
  return {
    sampler: sampler !== undefined && isSampler(sampler.value) ? sampler.value : 'parentbased_always_on',
    ratio: isRatio ? Number(ratio.value) : 1,
  };
}

function isSampler(name: string): name is SamplerName {
  return samplers.has(name);
}

function isPlainBeyondLoopback(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === 'http:' && !isLoopbackHost(hostname);
}

/** A field name (RFC 9110, section 5.1) that the exporter does not set itself. */
function isHeaderName(name: string): boolean {
  return (
    /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/.test(name) &&
    !/^(?:connection|content-encoding|content-length|content-type|expect|host|transfer-encoding|upgrade)$/i.test(
      name,
    )
  );
}

/** What Node sends in a header. */
function isHeaderValue(value: string): boolean {
  return /^[\x20-\x7e\xa0-\xff]*$/.test(value);
}

function isAttributeName(name: string): boolean {
  return /^[\x21-\x7e]{1,255}$/.test(name);
}
