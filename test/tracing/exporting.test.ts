import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterEach, describe, expect, it } from 'vitest';
import { type Program, type ProgramOptions, startProgram } from '../support/program.ts';
import { stsClient } from '../support/sdk.ts';
import { alice } from '../support/sidecar.ts';
import { exportingTo, type SpanCollector, startSpanCollector } from '../support/span-collector.ts';

const ended: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

async function start(options: ProgramOptions): Promise<Program> {
  // How long it may take to end, which spans that cannot be exported use up.
  const program = await startProgram({ server: 'drainSeconds: 2', ...options });
  ended.push(() => program.stop());
  return program;
}

async function startCollector(): Promise<SpanCollector> {
  const collector = await startSpanCollector();
  ended.push(() => collector.stop());
  return collector;
}

async function ask({ url }: Program, times: number): Promise<void> {
  const client = stsClient(url, alice);
  for (let asked = 0; asked < times; asked += 1) await client.send(new GetCallerIdentityCommand({}));
}

/** Ends it in order; resolves with its exit code. */
async function terminate(program: Program): Promise<number | null> {
  process.kill(program.pid, 'SIGTERM');
  await expect.poll(() => program.isRunning(), { timeout: 40_000 }).toBe(false);
  return program.exitCode();
}

/** A series begins with the first span. */
const spans = async (program: Program, outcome: string): Promise<number> =>
  (await program.metric(`sts_sidecar_trace_spans_total{outcome="${outcome}"}`)) || 0;

/** Every script that a run of the program has loaded, as V8's coverage lists them. */
async function loadedScripts(variables: Readonly<Record<string, string>>): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'loaded-scripts-'));
  ended.push(() => rm(folder, { recursive: true, force: true }));
  const program = await start({ variables: { ...variables, NODE_V8_COVERAGE: folder } });
  await ask(program, 1);
  expect(await terminate(program)).toBe(0);
  const [name = ''] = await readdir(folder);
  const { result } = JSON.parse(await readFile(join(folder, name), 'utf8')) as { result: { url: string }[] };
  return result.map(({ url }) => url);
}

describe('a program without an endpoint for spans', () => {
  it('loads nothing of OpenTelemetry but the API, which comes with prom-client', async () => {
    const isOfTracing = (url: string): boolean =>
      /@opentelemetry\/(?!api\/)|\/tracing\/open-telemetry/.test(url);
    const { url } = await startCollector();
    const off = await loadedScripts({ ...exportingTo(url), OTEL_SDK_DISABLED: 'true' });
    expect(off.length).toBeGreaterThan(100);
    expect(off.filter(isOfTracing)).toEqual([]);
    expect((await loadedScripts(exportingTo(url))).filter(isOfTracing).length).toBeGreaterThan(10);
  });
});

describe('a program that exports spans', () => {
  it('exports at its end what has not been exported', async () => {
    const collector = await startCollector();
    const program = await start({ variables: exportingTo(collector.url) });
    await ask(program, 3);
    expect(await terminate(program)).toBe(0);
    expect(collector.spans.map(({ name }) => name)).toEqual(Array(3).fill('STS.GetCallerIdentity'));
  });

  it('compresses what it sends where the variable says so', async () => {
    const collector = await startCollector();
    const compressed = { OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' };
    const program = await start({ variables: { ...exportingTo(collector.url), ...compressed } });
    await ask(program, 1);
    await expect.poll(() => collector.spans.length, { timeout: 20_000 }).toBe(1);
    expect(collector.requests[0]?.headers['content-encoding']).toBe('gzip');
    expect(await spans(program, 'delivered')).toBe(1);
  });

  it('answers, counts and ends while a collector hangs', async () => {
    const collector = await startCollector();
    collector.answerWith(() => true);
    const limited = { OTEL_EXPORTER_OTLP_TIMEOUT: '600000' };
    const program = await start({ variables: { ...exportingTo(collector.url), ...limited } });
    await ask(program, 1);
    await expect.poll(() => collector.requests.length, { timeout: 20_000 }).toBe(1);
    // More than may wait.
    await Promise.all(Array.from({ length: 8 }, () => ask(program, 300)));
    expect(await spans(program, 'delivered')).toBe(0);
    expect(await spans(program, 'dropped')).toBeGreaterThan(0);
    await expect.poll(() => program.output().match(/spans are lost/g)).toHaveLength(1);
    expect(await terminate(program)).toBe(0);
    const lost = [...program.output().matchAll(/"lost":(\d+)/g)].map(([, count]) => Number(count));
    expect(lost.reduce((sum, count) => sum + count, 0)).toBe(2_401);
  }, 90_000);

  it('drips of an answer do not keep it from ending', async () => {
    const collector = await startCollector();
    collector.answerWith((response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write(' '), 500);
      response.once('close', () => clearInterval(drip));
      return true;
    });
    const program = await start({ variables: exportingTo(collector.url) });
    await ask(program, 1);
    await expect.poll(() => collector.requests.length, { timeout: 20_000 }).toBe(1);
    expect(await terminate(program)).toBe(0);
  }, 60_000);

  it('an answer without end is cut off, and costs no memory', async () => {
    const collector = await startCollector();
    collector.answerWith((response) => {
      response.writeHead(200);
      // Each byte is an HTTP chunk of its own.
      const write = (): void => {
        while (!response.destroyed && response.write('a'));
      };
      response.on('drain', write);
      write();
      return true;
    });
    const program = await start({ variables: exportingTo(collector.url) });
    const { residentMiB } = await program.memory();
    await ask(program, 1);
    await expect.poll(() => spans(program, 'dropped'), { timeout: 30_000 }).toBe(1);
    expect((await program.memory()).peakMiB).toBeLessThan(residentMiB + 60);
    expect(await terminate(program)).toBe(0);
  }, 60_000);

  it.each([
    ['refuses them', 'status 400'],
    ['fails', 'status 500'],
  ])('counts spans as lost where the collector %s, and quotes nothing of it', async (_, cause) => {
    const collector = await startCollector();
    collector.answerWith((response) => {
      response.writeHead(Number(cause.slice(7)), 'quoted-reason').end('quoted-body');
      return true;
    });
    const program = await start({ variables: exportingTo(collector.url) });
    await ask(program, 1);
    await expect.poll(() => spans(program, 'dropped'), { timeout: 20_000 }).toBe(1);
    await expect.poll(() => program.output()).toContain(`"cause":"${cause}"`);
    expect(program.output()).not.toContain('quoted');
  });

  it('counts spans as lost where nothing listens', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    const limited = { OTEL_EXPORTER_OTLP_TIMEOUT: '1000' };
    const program = await start({ variables: { ...exportingTo(`http://127.0.0.1:${port}`), ...limited } });
    await ask(program, 2);
    await expect.poll(() => spans(program, 'dropped'), { timeout: 20_000 }).toBe(2);
    await expect.poll(() => program.output()).toContain('ECONNREFUSED');
    expect(await terminate(program)).toBe(0);
  });
});
