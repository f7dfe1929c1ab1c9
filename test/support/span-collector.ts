import type { IncomingMessage, ServerResponse } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { startLocalServer } from './identity-provider.ts';

/** One span as a collector has it. */
export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly traceState: string | undefined;
  readonly name: string;
  readonly kind: 'SERVER' | 'CLIENT';
  readonly isError: boolean;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly resource: Readonly<Record<string, string | number>>;
}

/** A collector of spans, which speaks OTLP over HTTP with JSON. */
export interface SpanCollector {
  readonly url: string;
  /** All that it has accepted, in their order. */
  readonly spans: CollectedSpan[];
  /** Every request, accepted or not. */
  readonly requests: {
    readonly path: string;
    readonly headers: IncomingMessage['headers'];
    readonly body: Buffer;
  }[];
  /** Answers instead of accepting, when it returns true. */
  answerWith(answer: ((response: ServerResponse) => boolean) | undefined): void;
  stop(): Promise<void>;
}

/** The variables by which a sidecar sends its spans to a collector. */
export function exportingTo(url: string): Record<string, string> {
  return { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' };
}

/** Starts a collector that accepts everything. */
export async function startSpanCollector(tls = false): Promise<SpanCollector> {
  const spans: CollectedSpan[] = [];
  const requests: SpanCollector['requests'] = [];
  let override: ((response: ServerResponse) => boolean) | undefined;
  const server = await startLocalServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const sent = Buffer.concat(chunks);
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
      requests.push({ path: request.url ?? '', headers: request.headers, body });
      if (override?.(response) === true) return;
      if (request.headers['content-type'] === 'application/json') spans.push(...spansOf(body));
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  }, tls);
  return {
    url: server.url,
    spans,
    requests,
    answerWith: (answer) => {
      override = answer;
    },
    stop: () => server.close(),
  };
}

interface Pair {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: number };
}

interface WrittenSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly name: string;
  readonly kind: number;
  readonly status: { readonly code: number };
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Pair[];
}

function spansOf(body: Buffer): CollectedSpan[] {
  const { resourceSpans } = JSON.parse(body.toString()) as {
    resourceSpans: { resource: { attributes: Pair[] }; scopeSpans: { spans: WrittenSpan[] }[] }[];
  };
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId === '' ? undefined : span.parentSpanId,
        traceState: span.traceState === '' ? undefined : span.traceState,
        name: span.name,
        kind: span.kind === 2 ? ('SERVER' as const) : ('CLIENT' as const),
        isError: span.status.code === 2,
        startMs: Number(BigInt(span.startTimeUnixNano) / 1_000n) / 1_000,
        endMs: Number(BigInt(span.endTimeUnixNano) / 1_000n) / 1_000,
        attributes: valuesOf(span.attributes),
        resource: valuesOf(resource.attributes),
      })),
    ),
  );
}

function valuesOf(pairs: readonly Pair[]): Record<string, string | number> {
  return Object.fromEntries(
    pairs.map(({ key, value }) => [key, value.stringValue ?? Number(value.intValue)]),
  );
}
