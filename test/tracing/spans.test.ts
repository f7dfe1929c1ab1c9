import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterEach, expect, it } from 'vitest';
import { testCaPem } from '../support/identity-provider.ts';
import { assume, outcome, s3Client, stsClient } from '../support/sdk.ts';
import { alice, bob, startSidecar, type TestSidecar, type TestSidecarOptions } from '../support/sidecar.ts';
import {
  type CollectedSpan,
  exportingTo,
  type SpanCollector,
  startSpanCollector,
} from '../support/span-collector.ts';
import { exchange } from '../support/wire.ts';

const ended: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

interface Traced {
  readonly sidecar: TestSidecar;
  readonly collector: SpanCollector;
  /** The spans of all requests so far; waits for as many. */
  readonly spans: (count: number) => Promise<readonly CollectedSpan[]>;
}

async function startTraced(
  variables: Readonly<Record<string, string>> = {},
  options: TestSidecarOptions = {},
): Promise<Traced> {
  const collector = await startSpanCollector();
  ended.push(() => collector.stop());
  const sidecar = await startSidecar({
    ...options,
    variables: { ...exportingTo(collector.url), ...variables },
  });
  ended.push(() => sidecar.stop());
  const spans = async (count: number): Promise<readonly CollectedSpan[]> => {
    await expect.poll(() => collector.spans.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(count);
    return collector.spans;
  };
  return { sidecar, collector, spans };
}

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';
const sampled = `00-${traceId}-${spanId}-01`;

/** An unsigned GET of an object. */
function get(url: string, headers: readonly (readonly [string, string])[] = []): Promise<string> {
  const { host } = new URL(url);
  const lines = [['host', host], ...headers].map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return exchange(url, `GET /data/k HTTP/1.1\r\nconnection: close\r\n${lines}\r\n`);
}

const logLines = ({ logged }: TestSidecar): Record<string, unknown>[] =>
  logged.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ msg }) => msg === 'request');

it('exports a SERVER span for each request, and below it one for the exchange with the store', async () => {
  const { sidecar, spans } = await startTraced();
  const before = Date.now();
  const session = await assume(sidecar.url, alice, 'data');
  const s3 = s3Client(sidecar.url, session);
  await s3.send(new CreateBucketCommand({ Bucket: 'data' }));
  await s3.send(new PutObjectCommand({ Bucket: 'data', Key: 'folder/k', Body: 'seven b' }));
  const all = await spans(5);
  expect(all.map(({ kind, name }) => `${kind} ${name}`).sort()).toEqual([
    'CLIENT S3.CreateBucket',
    'CLIENT S3.PutObject',
    'SERVER S3.CreateBucket',
    'SERVER S3.PutObject',
    'SERVER STS.AssumeRole',
  ]);
  const [put, asked] = (['SERVER', 'CLIENT'] as const).map((kind) =>
    all.find((span) => span.kind === kind && span.name === 'S3.PutObject'),
  );
  const line = logLines(sidecar).find(({ operation }) => operation === 'PutObject');
  expect(put?.parentSpanId).toBeUndefined();
  expect(put?.attributes).toMatchObject({
    'rpc.system': 'aws-api',
    'rpc.service': 'S3',
    'rpc.method': 'PutObject',
    'http.request.method': 'PUT',
    'http.response.status_code': 200,
    'http.request.body.size': 7,
    'client.address': '127.0.0.1',
    'aws.request_id': line?.['request_id'],
    'aws.s3.bucket': 'data',
    'aws.s3.key': 'folder/k',
    'enduser.id': 'arn:aws:sts::123456789012:assumed-role/data/test',
    'sts_sidecar.decision': 'allow',
  });
  expect(put?.attributes['user_agent.original']).toContain('aws-sdk-js');
  expect(put?.resource).toMatchObject({ 'service.name': 'sts-sidecar' });
  expect(line?.['trace_id']).toBe(put?.traceId);
  expect(asked).toMatchObject({ traceId: put?.traceId, parentSpanId: put?.spanId, isError: false });
  expect(asked?.attributes).toMatchObject({
    'http.response.status_code': 200,
    'server.address': '127.0.0.1',
    'server.port': Number(new URL(sidecar.storeUrl).port),
  });
  // Times of a span, and of the one around it.
  const times = [before - 1, put?.startMs, asked?.startMs, asked?.endMs, put?.endMs, Date.now() + 1].map(
    Number,
  );
  expect(times).toEqual(times.toSorted((left, right) => left - right));
});

it('joins the trace of the client, and tells the store its own span', async () => {
  const { sidecar, spans } = await startTraced();
  const session = await assume(sidecar.url, alice, 'data');
  const s3 = s3Client(sidecar.url, session);
  s3.middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { headers: Record<string, string> };
      headers['traceparent'] = sampled;
      headers['tracestate'] = 'vendor=opaque:1,other@tenant=2';
      return next(args);
    },
    { step: 'finalizeRequest', priority: 'low' },
  );
  await s3.send(new CreateBucketCommand({ Bucket: 'data' }));
  const all = (await spans(3)).filter((span) => span.traceId === traceId);
  const [server, client] = (['SERVER', 'CLIENT'] as const).map((kind) =>
    all.find((span) => span.kind === kind),
  );
  expect(server).toMatchObject({ parentSpanId: spanId, traceState: 'vendor=opaque:1,other@tenant=2' });
  expect(client?.parentSpanId).toBe(server?.spanId);
  const [seen] = sidecar.seen;
  expect(seen?.headers.getAll('traceparent')).toEqual([`00-${traceId}-${client?.spanId}-01`]);
  expect(seen?.headers.getAll('tracestate')).toEqual(['vendor=opaque:1,other@tenant=2']);
  expect(seen?.headers.get('authorization')).not.toContain('trace');
});

it('joins the questions that a decision asks the store below the span of the request', async () => {
  const directory = `
directory:
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      inlinePolicies:
        Tagged:
          Version: "2012-10-17"
          Statement: [{ Effect: Allow, Action: "s3:GetObject", Resource: "*", Condition: { StringEquals: { "s3:ExistingObjectTag/team": "a" } } }]
`;
  const { sidecar, spans } = await startTraced({}, { directory });
  const s3 = s3Client(sidecar.url, alice);
  await outcome(s3.send(new GetObjectCommand({ Bucket: 'data', Key: 'k' })));
  const [span] = await spans(1);
  expect(sidecar.seen.map(({ target }) => target)).toEqual(['/data/k?tagging=']);
  const [asked] = sidecar.seen;
  expect(asked?.headers.getAll('traceparent')).toEqual([`00-${span?.traceId}-${span?.spanId}-01`]);
});

it('follows the sampled flag of the client', async () => {
  const { sidecar, spans, collector } = await startTraced();
  await get(sidecar.url, [['traceparent', `00-${traceId}-${spanId}-00`]]);
  await get(sidecar.url, [['traceparent', `00-${traceId}-${spanId}-fe`]]);
  await get(sidecar.url, [['traceparent', `00-${traceId}-${spanId}-03`]]);
  await spans(1);
  await sidecar.app.stop();
  expect(collector.spans.map((span) => span.parentSpanId)).toEqual([spanId]);
  expect(logLines(sidecar).map((line) => line['trace_id'])).toEqual([traceId, traceId, traceId]);
});

it.each([
  ['always_off', '', 0, 0],
  ['always_on', '', 1, 1],
  ['traceidratio', '0', 0, 0],
  ['traceidratio', '1', 1, 1],
  ['parentbased_always_off', '', 0, 1],
  ['parentbased_traceidratio', '0.0', 0, 1],
])('samples as %s %s says', async (sampler, ratio, ofNew, ofSampled) => {
  const { sidecar, collector } = await startTraced({
    OTEL_TRACES_SAMPLER: sampler,
    OTEL_TRACES_SAMPLER_ARG: ratio,
  });
  await get(sidecar.url);
  await get(sidecar.url, [['traceparent', sampled]]);
  await sidecar.app.stop();
  const joined = collector.spans.filter((span) => span.traceId === traceId).length;
  expect([collector.spans.length - joined, joined]).toEqual([ofNew, ofSampled]);
});

it.each([
  ['zeros for a trace', [['traceparent', `00-${'0'.repeat(32)}-${spanId}-01`]]],
  [
    'two lines',
    [
      ['traceparent', sampled],
      ['traceparent', sampled],
    ],
  ],
] as const)('begins a trace of its own at %s', async (_, headers) => {
  const { sidecar, spans } = await startTraced();
  await get(sidecar.url, [...headers, ['tracestate', 'vendor=1']]);
  const [span] = await spans(1);
  expect(span).toMatchObject({ parentSpanId: undefined, traceState: undefined });
  expect(span?.traceId).not.toBe(traceId);
});

it('marks faults of the server, not those of clients', async () => {
  const { sidecar, spans } = await startTraced({}, { backend: { endpoint: 'http://127.0.0.1:9', ...alice } });
  await outcome(s3Client(sidecar.url, bob).send(new GetObjectCommand({ Bucket: 'data', Key: 'k' })));
  await exchange(sidecar.url, 'no http\r\n\r\n');
  const session = await assume(sidecar.url, alice, 'data');
  await outcome(s3Client(sidecar.url, session).send(new GetObjectCommand({ Bucket: 'data', Key: 'k' })));
  const all = await spans(5);
  const told = all.map(({ kind, name, isError, attributes }) => [
    kind,
    name,
    isError,
    attributes['error.type'],
  ]);
  expect(told).toEqual(
    expect.arrayContaining([
      ['SERVER', 'S3.GetObject', false, 'AccessDenied'],
      ['SERVER', 'HTTP', false, expect.any(String)],
      ['SERVER', 'STS.AssumeRole', false, undefined],
      ['CLIENT', 'S3.GetObject', true, 'connect'],
      ['SERVER', 'S3.GetObject', true, expect.any(String)],
    ]),
  );
});

it.each([
  ['hash', /^[0-9a-f]{16}$/],
  ['off', undefined],
] as const)('shows keys as log.objectKeys says: %s', async (setting, form) => {
  const { sidecar, spans, collector } = await startTraced({}, { further: `log: { objectKeys: ${setting} }` });
  const session = await assume(sidecar.url, alice, 'data');
  const wanted = { Bucket: 'data', Key: 'private-key-of-an-object' };
  await outcome(s3Client(sidecar.url, session).send(new GetObjectCommand(wanted)));
  const span = (await spans(3)).find(({ kind, name }) => kind === 'SERVER' && name === 'S3.GetObject');
  const key = span?.attributes['aws.s3.key'];
  if (form === undefined) expect(key).toBeUndefined();
  else expect(key).toMatch(form);
  expect(collector.requests.map(({ body }) => body.toString()).join('')).not.toContain(wanted.Key);
});

it('describes itself as the variables say, and sends their headers', async () => {
  const { sidecar, collector, spans } = await startTraced({
    OTEL_SERVICE_NAME: 'objects',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=test,service.name=other,team=a%20b',
    OTEL_EXPORTER_OTLP_HEADERS: 'x-api-key=of%3Dall,x-all=1',
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x-api-key=of-traces',
  });
  await outcome(stsClient(sidecar.url, alice).send(new GetCallerIdentityCommand({})));
  const [span] = await spans(1);
  expect(span?.resource).toMatchObject({
    'service.name': 'objects',
    'deployment.environment': 'test',
    team: 'a b',
  });
  expect(collector.requests[0]).toMatchObject({
    path: '/v1/traces',
    headers: { 'x-api-key': 'of-traces', 'x-all': '1' },
  });
  expect(sidecar.logged.join('')).not.toMatch(/of-traces|of=all/);
});

it('trusts the authorities that the variable names', async () => {
  const collector = await startSpanCollector(true);
  ended.push(() => collector.stop());
  for (const variables of [{}, { OTEL_EXPORTER_OTLP_CERTIFICATE: 'ca.pem' }]) {
    const sidecar = await startSidecar({
      files: { 'ca.pem': testCaPem },
      variables: { ...exportingTo(collector.url), ...variables },
    });
    await get(sidecar.url);
    await sidecar.stop();
    expect(collector.spans).toHaveLength(Object.keys(variables).length);
  }
});

it('exports protobuf by default, to the endpoint of traces as it stands', async () => {
  const collector = await startSpanCollector();
  ended.push(() => collector.stop());
  const sidecar = await startSidecar({
    variables: {
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/otlp`,
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://x',
    },
  });
  ended.push(() => sidecar.stop());
  await get(sidecar.url);
  await expect.poll(() => collector.requests.length, { timeout: 20_000 }).toBeGreaterThan(0);
  const [request] = collector.requests;
  expect(request).toMatchObject({ path: '/otlp', headers: { 'content-type': 'application/x-protobuf' } });
  expect(request?.body.toString('latin1')).toContain('S3.Unknown');
});
