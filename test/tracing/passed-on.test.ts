import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterEach, expect, it } from 'vitest';
import { type CapturingStore, startCapturingStore } from '../support/capturing-store.ts';
import { assume, outcome, s3Client } from '../support/sdk.ts';
import { alice, startSidecar, type TestSidecar, type TestSidecarOptions } from '../support/sidecar.ts';
import { exportingTo, startSpanCollector } from '../support/span-collector.ts';

const ended: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const parent = `00-${traceId}-00f067aa0ba902b7-01`;
const state = 'vendor=opaque';

async function start(
  options: TestSidecarOptions = {},
): Promise<{ sidecar: TestSidecar; store: CapturingStore }> {
  const store = await startCapturingStore();
  ended.push(async () => store.close());
  const backend = { endpoint: store.url, accessKeyId: 'KEY', secretAccessKey: 'store-secret' };
  const sidecar = await startSidecar({ ...options, backend });
  ended.push(() => sidecar.stop());
  return { sidecar, store };
}

/** Adds headers before the request is signed, so that they are signed too, or afterwards. */
function sending(
  client: S3Client,
  headers: Readonly<Record<string, string>>,
  step: 'build' | 'finalizeRequest',
): S3Client {
  client.middlewareStack.add(
    (next) => (args) => {
      Object.assign((args.request as { headers: Record<string, string> }).headers, headers);
      return next(args);
    },
    { step, priority: 'low', name: 'traced' } as { step: 'build' },
  );
  return client;
}

async function put(sidecar: TestSidecar, headers: Readonly<Record<string, string>>): Promise<void> {
  const session = await assume(sidecar.url, alice, 'data');
  const client = sending(s3Client(sidecar.url, session), headers, 'build');
  await client.send(new PutObjectCommand({ Bucket: 'data', Key: 'k', Body: 'body' }));
}

it.each([
  [{ traceparent: parent, tracestate: state }, parent, state],
  [{ traceparent: parent }, parent, undefined],
  [{ traceparent: parent.replace('00-', '01-') }, parent, undefined],
  [{ traceparent: parent.toUpperCase(), tracestate: state }, undefined, undefined],
  [{ tracestate: state }, undefined, undefined],
  [{}, undefined, undefined],
])(
  'without an exporter the store sees the context of the client: %j',
  async (sent, traceparent, tracestate) => {
    const { sidecar, store } = await start();
    await put(sidecar, sent);
    const { headers } = store.uploads[0] ?? {};
    expect([headers?.['traceparent'], headers?.['tracestate']]).toEqual([traceparent, tracestate]);
    const line = sidecar.logged.find((text) => text.includes('PutObject'));
    expect(line?.includes(`"trace_id":"${traceId}"`)).toBe(traceparent !== undefined);
  },
);

it('a new trace reaches the store with its flag', async () => {
  const collector = await startSpanCollector();
  ended.push(() => collector.stop());
  const { sidecar, store } = await start({
    variables: { ...exportingTo(collector.url), OTEL_TRACES_SAMPLER: 'always_off' },
  });
  await put(sidecar, {});
  await put(sidecar, { traceparent: parent.replace(/01$/, '03'), tracestate: state });
  const [fresh, joined] = store.uploads.map(({ headers }) => headers['traceparent']);
  expect(fresh).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  expect(joined).toMatch(new RegExp(`^00-${traceId}-(?!00f067aa0ba902b7)[0-9a-f]{16}-02$`));
  expect(store.uploads[1]?.headers['tracestate']).toBe(state);
});

it('a request that is passed on untouched keeps the headers that its sender has signed', async () => {
  const collector = await startSpanCollector();
  ended.push(() => collector.stop());
  const { sidecar, store } = await start({
    variables: exportingTo(collector.url),
    store: '  unknownAccessKeys: passthrough',
  });
  const stranger = { accessKeyId: 'STOREUSER1', secretAccessKey: 'a-secret-of-the-store' };
  const client = sending(
    s3Client(sidecar.url, stranger),
    { traceparent: parent, tracestate: state },
    'build',
  );
  await outcome(client.send(new GetObjectCommand({ Bucket: 'data', Key: 'k' })));
  const { headers } = store.uploads[0] ?? {};
  expect(headers?.['authorization']).toMatch(/SignedHeaders=[^,]*traceparent/);
  expect([headers?.['traceparent'], headers?.['tracestate']]).toEqual([parent, state]);
});

it('a path that is handed to the store, and a preflight, join the trace', async () => {
  const { sidecar, store } = await start({ store: '  passthrough: [/console/]' });
  const headers = { traceparent: parent };
  await fetch(`${sidecar.url}/console/index.html`, { headers });
  await fetch(`${sidecar.url}/data/k`, {
    method: 'OPTIONS',
    headers: { ...headers, origin: 'https://example.com', 'access-control-request-method': 'GET' },
  });
  expect(store.uploads.map(({ headers: seen }) => seen['traceparent'])).toEqual([parent, parent]);
});
