// npm run bench [-- --rounds 5 --seconds 10 --warm-up 10 --cases 1KiB-GET,1KiB-GET-20000-sessions,STS,… --sessions 20000 --out FILE]
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
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '10' },
    'warm-up': { type: 'string', default: '15' },
    cases: { type: 'string', default: '' },
    sessions: { type: 'string', default: '20000' },
    out: { type: 'string', default: 'coverage/bench.json' },
    beside: { type: 'string' },
  },
});
const rounds = Number(flags.rounds);
const seconds = Number(flags.seconds);
const warmUp = Number(flags['warm-up']);
const connectionsOf = { '1KiB': 32, '1MiB': 16, '64MiB': 4 };

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
const wanted = flags.cases.split(',').filter(Boolean);
const isWanted = (name) => wanted.length === 0 || wanted.includes(name);
const cases = allCases.filter(({ name }) => isWanted(slug(name)));

pinSelf(cores.load);
const directory = mkdtempSync(join(tmpdir(), 'sts-sidecar-bench-'));
const servers = await startServers(directory, flags.beside);
const memory = {};
const sampler = setInterval(sampleMemory, 250);
try {
  if (cases.length > 0) await benchS3();
  if (isWanted('STS'))
    process.stdout.write(await benchSts(servers.targets, directory, { rounds, seconds, warmUp }));
} finally {
  clearInterval(sampler);
  await servers.stop();
  rmSync(directory, { recursive: true, force: true });
}

async function benchS3() {
  const report = { machine: describeMachine(), rounds, seconds, cases: [] };
  for (const settings of cases) report.cases.push(await runCase(settings));
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
  // The slowest compilers of V8 need some tens of thousands of requests before a program is as fast as it gets.
  for (let round = -1; round < rounds; round += 1) {
    prepared.sign();
    for (const [target, server] of Object.entries(servers.targets)) {
      if (round === 0) measured[target] = [];
      await prepared.probe(server.url);
      const duration = round < 0 ? warmUp : seconds;
      const result = await measure(server, { ...prepared.load, seconds: duration });
      if (round >= 0) measured[target].push(result);
      process.stderr.write(
        `${name}, round ${round + 1}, ${target}: ${result.perSecond.toFixed(0)}/s, ${result.cpuUs.toFixed(0)} µs\n`,
      );
    }
  }
  return { name, bytes: sizes[size], targets: compareTargets(measured, size === '64MiB'), measured };
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
  const latency = {};
  for (let round = 0; round < rounds; round += 1) {
    prepared.sign();
    for (const [target, server] of Object.entries(servers.targets)) {
      const load = { ...prepared.load, connections: 1, seconds: Math.max(1, Math.round(seconds / 2)) };
      const { p50Us } = await measure(server, load);
      latency[target] = [...(latency[target] ?? []), p50Us];
    }
  }
  return Object.fromEntries(Object.entries(latency).map(([target, list]) => [target, summarize(list)]));
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
