// npm run bench [-- --rounds 5 --seconds 10 --cases 1KiB-GET,1KiB-GET-20000-sessions,STS,… --sessions 20000 --out FILE]
//   --quick takes three minutes: small objects and 1 MiB, two rounds of two seconds
//   --beside OTHER/dist/main.js measures another build in the same run
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { measure, probe, writeRequests } from './load.mjs';
import { cores, describeMachine, pinSelf, residentMiB } from './machine.mjs';
import { compareTargets, renderReport, summarize } from './report.mjs';
import { sizes, startServers } from './servers.mjs';
import { assumeRoles, signRequests } from './sidecar.mjs';
import { benchSts } from './sts.mjs';

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    cases: { type: 'string' },
    sessions: { type: 'string', default: '20000' },
    out: { type: 'string', default: 'coverage/bench.json' },
    beside: { type: 'string' },
  },
});
const preset = flags.quick
  ? { rounds: 2, seconds: 2, cases: '1KiB-GET,1KiB-PUT,1MiB-GET,1MiB-PUT' }
  : { rounds: 5, seconds: 10, cases: '' };
const rounds = Number(flags.rounds ?? preset.rounds);
const seconds = Number(flags.seconds ?? preset.seconds);
const connectionsOf = { '1KiB': 32, '1MiB': 16, '64MiB': 4 };
/** Requests to each target before the first round. V8's slowest compiler needs some tens of thousands of small ones. */
const warmUpOf = { '1KiB': 60_000, '1MiB': 2_000, '64MiB': 20 };
/** The first requests to a fresh process, whose cost is a figure of its own. */
const coldRequests = 10_000;
const latencyConnections = [1, 32, 256];

/** Every case: an operation on one size; the last is the first again with as many sessions as were asked for. */
const allCases = [
  ...['GET', 'PUT'].flatMap((method) =>
    Object.keys(sizes).map((size) => ({ name: `${size} ${method}`, method, size, sessions: 100, keys: 100 })),
  ),
  {
    name: `1KiB GET, ${flags.sessions} sessions`,
    method: 'GET',
    size: '1KiB',
    sessions: +flags.sessions,
    keys: 1,
  },
];
const slug = (name) => name.replaceAll(/[ ,]+/g, '-');
const wanted = (flags.cases ?? preset.cases).split(',').filter(Boolean);
const isWanted = (name) => wanted.length === 0 || wanted.includes(name);
const cases = allCases.filter(({ name }) => isWanted(slug(name)));

pinSelf(cores.load);
const directory = mkdtempSync(join(tmpdir(), 'sts-sidecar-bench-'));
const servers = await startServers(directory, flags.beside);
const memory = {};
const cold = {};
const sampler = setInterval(sampleMemory, 250);
try {
  if (cases.length > 0) await benchS3();
  if (isWanted('STS')) process.stdout.write(await benchSts(servers.targets, directory, { rounds, seconds }));
} finally {
  clearInterval(sampler);
  await servers.stop();
  rmSync(directory, { recursive: true, force: true });
}

async function benchS3() {
  const report = { machine: describeMachine(), rounds, seconds, cases: [] };
  for (const settings of cases) report.cases.push(await runCase(settings));
  report.cold = cold;
  report.latency = await runLatency();
  report.memory = summarizeMemory();
  mkdirSync(dirname(flags.out), { recursive: true });
  writeFileSync(flags.out, `${JSON.stringify(report, undefined, 2)}\n`);
  process.stdout.write(renderReport(report));
  if (report.cases.some(({ targets }) => Object.values(targets).some(({ wrongRounds }) => wrongRounds > 0))) {
    process.exitCode = 1;
  }
}

async function runCase(settings) {
  const { name, size } = settings;
  const prepared = await prepare(settings);
  const measured = {};
  prepared.sign();
  for (const [target, server] of Object.entries(servers.targets)) {
    await prepared.probe(server.url);
    await warm(target, server, { ...prepared.load, seconds: 1 }, warmUpOf[size]);
  }
  for (let round = 0; round < rounds; round += 1) {
    prepared.sign();
    for (const [target, server] of Object.entries(servers.targets)) {
      await prepared.probe(server.url);
      const result = await measure(server, { ...prepared.load, seconds });
      measured[target] = [...(measured[target] ?? []), result];
      process.stderr.write(
        `${name}, round ${round + 1}, ${target}: ${result.perSecond.toFixed(0)}/s, ${result.cpuUs.toFixed(0)} µs\n`,
      );
    }
  }
  return { name, bytes: sizes[size], targets: compareTargets(measured, size === '64MiB'), measured };
}

/** Sends at least `count` requests. The first 10,000 of a target's life are counted as its cold start. */
async function warm(target, server, load, count) {
  const start = { requests: 0, cpuUs: 0 };
  for (let sent = 0; sent < count; ) {
    const { requests, cpuUs } = await measure(server, load);
    if (requests === 0) throw new Error(`${target} answers nothing`);
    sent += requests;
    if (target in cold || start.requests >= coldRequests) continue;
    start.requests += requests;
    start.cpuUs += cpuUs * requests;
  }
  cold[target] ??= start.cpuUs / start.requests;
}

// Signatures are good for 15 minutes, so every round signs anew.
async function prepare({ method, size, sessions: sessionCount, keys }) {
  const sessions = await assumeRoles(servers.targets.sidecar.url, sessionCount);
  const path = `/data/${method.toLowerCase()}/${size}`;
  const body = method === 'PUT' ? Buffer.alloc(sizes[size], 'y') : Buffer.alloc(0);
  const requestsFile = join(directory, 'requests');
  const bodyFile = join(directory, 'upload');
  writeFileSync(bodyFile, body);
  const answerBytes = method === 'GET' ? sizes[size] : 0;
  let signed = [];
  return {
    sign: () => {
      signed = signRequests({ sessions, keysPerSession: keys, method, path, body });
      writeRequests(requestsFile, signed);
    },
    probe: (url) => probe(url, method, signed[0], body, answerBytes),
    load: {
      method,
      requestsFile,
      answerBytes,
      connections: connectionsOf[size],
      ...(method === 'PUT' ? { bodyFile } : {}),
    },
  };
}

async function runLatency() {
  const prepared = await prepare({ method: 'GET', size: '1KiB', sessions: 100, keys: 100 });
  const duration = Math.max(1, Math.round(seconds / 2));
  const latency = {};
  for (let round = 0; round < rounds; round += 1) {
    prepared.sign();
    for (const connections of latencyConnections) {
      for (const [target, server] of Object.entries(servers.targets)) {
        const measured = await measure(server, { ...prepared.load, connections, seconds: duration });
        const of = latency[target] ?? {};
        latency[target] = { ...of, [connections]: [...(of[connections] ?? []), measured] };
      }
    }
  }
  return Object.fromEntries(
    Object.entries(latency).map(([target, of]) => [
      target,
      Object.fromEntries(
        Object.entries(of).map(([connections, list]) => [
          connections,
          {
            p50Us: summarize(list.map(({ p50Us }) => p50Us)).median,
            p99Us: summarize(list.map(({ p99Us }) => p99Us)).median,
          },
        ]),
      ),
    ]),
  );
}

function sampleMemory() {
  for (const [target, { pid }] of Object.entries(servers.targets)) {
    if (target !== 'direct') memory[target] = [...(memory[target] ?? []), residentMiB(pid)];
  }
}

function summarizeMemory() {
  sampleMemory();
  const summary = ([target, samples]) => {
    const { median } = summarize(samples.map(({ now }) => now));
    return [target, { median, peak: Math.max(...samples.map(({ peak }) => peak)) }];
  };
  return Object.fromEntries(Object.entries(memory).map(summary));
}
