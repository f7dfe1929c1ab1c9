import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { setTimeout } from 'node:timers/promises';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { CountedSpans } from './counted-spans.ts';
import { TracedRequest } from './request-spans.ts';
import type { SamplerName, Tracing, TracingParts, TracingSettings } from './tracing.ts';

/** Starts making and exporting spans. No connection is opened before the first one. */
export function startTracing({
  settings,
  version,
  store,
  objectKeys,
  clock,
  reports,
}: TracingParts): Tracing {
  const agent = agentFor(settings);
  const spans = new CountedSpans(exporterFor(settings, agent), reports, () => agent.destroy());
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.version': version,
      ...settings.resource,
      'service.name': settings.serviceName,
    }),
    sampler: samplers[settings.sampler](settings.ratio),
    spanProcessors: [spans],
  });
  const { hostname, port, protocol } = new URL(store);
  const parts = {
    tracer: provider.getTracer('sts-sidecar', version),
    objectKeys,
    store: {
      'server.address': hostname,
      'server.port': port === '' ? defaultPorts[protocol] : Number(port),
    },
  };
  return {
    begin: (parent, sinceMs) => new TracedRequest(parts, parent, clock.now() - sinceMs),
    stop: async (deadlineMs) => {
      const late = new AbortController();
      await Promise.race([
        spans.shutdown().catch(() => undefined),
        setTimeout(deadlineMs, undefined, { signal: late.signal }).catch(() => undefined),
      ]);
      late.abort();
      spans.giveUp();
      // An export that hangs would keep the program from ending, and so would its retries.
      agent.createConnection = refuseConnection;
      agent.destroy();
    },
  };
}

const defaultPorts: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

const samplers: Readonly<Record<SamplerName, (ratio: number) => Sampler>> = {
  always_on: () => new AlwaysOnSampler(),
  always_off: () => new AlwaysOffSampler(),
  traceidratio: (ratio) => new TraceIdRatioBasedSampler(ratio),
  parentbased_always_on: () => new ParentBasedSampler({ root: new AlwaysOnSampler() }),
  parentbased_always_off: () => new ParentBasedSampler({ root: new AlwaysOffSampler() }),
  parentbased_traceidratio: (ratio) => new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
};

/** Compression and time limit are read from their environment variables by the exporter itself. */
function exporterFor(
  { url, protocol, headers }: TracingSettings,
  agent: HttpAgent,
): JsonExporter | ProtobufExporter {
  const sent = Object.entries(headers).map(([name, value]) => [name, value.reveal()]);
  const options = { url, headers: Object.fromEntries(sent), httpAgentOptions: () => agent };
  return protocol === 'http/json' ? new JsonExporter(options) : new ProtobufExporter(options);
}

/** Receipts have some hundred bytes. The exporter keeps each piece of one as it comes, and a piece may be a single byte. */
const maxAnswerBytes = 65_536;

function agentFor({ url, caPem, certPem, keyPem }: TracingSettings): HttpAgent {
  const agent = url.toLowerCase().startsWith('https:')
    ? new HttpsAgent({ keepAlive: true, ca: caPem, cert: certPem, key: keyPem?.reveal() })
    : new HttpAgent({ keepAlive: true });
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (...given) => {
    const socket = connect(...given);
    let bytesRead = 0;
    socket?.on('data', (bytes: Buffer) => {
      bytesRead += bytes.length;
      if (bytesRead > maxAnswerBytes) socket.destroy(new Error('the answer of the collector is too long'));
    });
    // The agent's own event between two requests.
    socket?.on('free', () => {
      bytesRead = 0;
    });
    return socket;
  };
  return agent;
}

function refuseConnection(): never {
  throw new Error('the program has ended');
}
