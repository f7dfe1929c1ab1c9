import type { ServerResponse } from 'node:http';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { recordsOf } from '../support/audit.ts';
import { type LogCollector, startLogCollector } from '../support/log-collector.ts';
import { outcome, s3Client, stsClient } from '../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';

let collector: LogCollector;
let sidecar: TestSidecar | undefined;
beforeEach(async () => {
  collector = await startLogCollector();
});
afterEach(async () => {
  collector.answerWith(undefined);
  await sidecar?.stop();
  sidecar = undefined;
  await collector.stop();
});

async function start(further = '', variables: Readonly<Record<string, string>> = {}): Promise<TestSidecar> {
  const otlp = `otlp: { url: "${collector.url}/v1/logs", headers: { Authorization: { env: COLLECTOR } } }`;
  sidecar = await startSidecar({
    further: `audit: { stdout: true, ${otlp} ${further} }`,
    variables: { COLLECTOR: 'Bearer of-the-collector', ...variables },
  });
  return sidecar;
}

const ask = ({ url }: TestSidecar): Promise<string> =>
  outcome(stsClient(url, alice).send(new GetCallerIdentityCommand({})));

async function counted({ adminUrl }: TestSidecar, label: string): Promise<number> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  const series = new RegExp(
    `^sts_sidecar_audit_events_total\\{sink="otlp",outcome="${label}"\\} (\\d+)$`,
    'm',
  );
  return Number(series.exec(text)?.[1] ?? 0);
}

it('a collector gets every record, with its time', async () => {
  const running = await start('', { OTEL_SERVICE_NAME: 'ignored without an endpoint' });
  await ask(running);
  // Quotes and a member of the record's name in what a client sends.
  const Key = '"eventTime":"1999-01-01T00:00:00Z"\n\u{1f600}';
  await outcome(s3Client(running.url, alice).send(new GetObjectCommand({ Bucket: 'data', Key })));
  await expect.poll(() => collector.logRecords.length).toBe(2);
  await running.app.stop();
  expect(collector.logRecords.map(({ record }) => record)).toEqual(recordsOf(running.logged.join('')));
  for (const { time, record, severityText, serviceName } of collector.logRecords) {
    expect(time.toISOString().replace('.000', '')).toBe(record.eventTime);
    expect([severityText, serviceName]).toEqual(['INFO', 'sts-sidecar']);
  }
  expect(collector.requests[0]).toMatchObject({
    path: '/v1/logs',
    headers: { authorization: 'Bearer of-the-collector', 'content-type': 'application/json' },
  });
  expect(running.logged.join('')).not.toContain('of-the-collector');
});

it('a collector learns the name that spans have', async () => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_TRACES_SAMPLER: 'always_off' };
  await ask(await start('', { ...endpoint, OTEL_SERVICE_NAME: 'objects' }));
  await expect.poll(() => collector.logRecords.length).toBe(1);
  expect(collector.logRecords[0]?.serviceName).toBe('objects');
});

it.each([
  ['a number', '{"partialSuccess":{"rejectedLogRecords":1,"errorMessage":"too old"}}'],
  ['a text, as 64-bit numbers are in OTLP', '{"partialSuccess":{"rejectedLogRecords":"1"}}'],
  ['more than were sent', '{"partialSuccess":{"rejectedLogRecords":"9007199254740991"}}'],
])('a record that the collector rejects is counted as lost, and not sent again: %s', async (_, receipt) => {
  collector.answerWith((response) => response.writeHead(200).end(receipt) && true);
  const running = await start();
  await ask(running);
  await expect.poll(() => counted(running, 'dropped')).toBe(1);
  await running.app.stop();
  expect(collector.requests).toHaveLength(1);
  expect(running.logged.join('')).not.toContain('too old');
});

it.each([
  ['is empty', ''],
  ['is no JSON', '<ok/>'],
  ['is no object', '[]'],
  ['has a negative number', '{"partialSuccess":{"rejectedLogRecords":-1}}'],
  ['has no number', '{"partialSuccess":{"rejectedLogRecords":"x"}}'],
  ['is longer than any', JSON.stringify({ partialSuccess: { errorMessage: 'x'.repeat(20_000) } })],
])('a receipt with 2xx that %s is a receipt', async (_, receipt) => {
  collector.answerWith((response) => response.writeHead(202).end(receipt) && true);
  const running = await start();
  await ask(running);
  await expect.poll(() => counted(running, 'delivered')).toBe(1);
  expect(collector.requests).toHaveLength(1);
});

it('a receipt with 2xx that breaks off is a receipt', async () => {
  collector.answerWith((response) => {
    response.writeHead(200, { 'content-length': '20' }).write('{"partial');
    setTimeout(() => response.socket?.resetAndDestroy(), 100);
    return true;
  });
  const running = await start();
  await ask(running);
  await expect.poll(() => counted(running, 'delivered')).toBe(1);
  expect(collector.requests).toHaveLength(1);
});

it.each([
  ['answers 503', (response: ServerResponse) => void response.writeHead(503).end()],
  ['resets the connection', (response: ServerResponse) => void response.socket?.resetAndDestroy()],
])('nothing is lost while a collector %s', async (_, answer) => {
  collector.answerWith((response) => {
    answer(response);
    return true;
  });
  const running = await start();
  await ask(running);
  await expect.poll(() => collector.requests.length).toBeGreaterThan(1);
  collector.answerWith(undefined);
  await expect.poll(() => collector.logRecords.length, { timeout: 20_000 }).toBe(1);
  expect(await counted(running, 'dropped')).toBe(0);
});

it('requests are refused while a collector that hangs has filled its queue, with failClosed', async () => {
  collector.answerWith(() => true);
  const running = await start(', failClosed: true, maxQueuedBytes: 1048576');
  const answers = new Set<string>();
  const Key = 'k'.repeat(1_000);
  const s3 = s3Client(running.url, alice);
  for (let round = 0; round < 40 && !answers.has('ServiceUnavailable 503'); round += 1) {
    const asked = Array.from({ length: 25 }, () =>
      outcome(s3.send(new GetObjectCommand({ Bucket: 'data', Key }))),
    );
    for (const answer of await Promise.all(asked)) answers.add(answer);
  }
  expect([...answers].sort()).toEqual(['AccessDenied 403', 'ServiceUnavailable 503']);
}, 60_000);
