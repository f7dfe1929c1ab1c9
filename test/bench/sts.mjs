// npm run bench:sts [-- --rounds 5 --seconds 10 --warm-up 10]: STS actions on one core, in multiples of the rate at which
// bare http-proxy answers 1 KiB GET in the same run.
import { createHash, createSign, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measure, writeRequests } from './load.mjs';
import { cores, describeMachine, pinSelf } from './machine.mjs';
import { summarize } from './report.mjs';
import { startServers } from './servers.mjs';
import { assumeRoles, issuer, signAssumeRole, signRequests } from './sidecar.mjs';

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '10' },
    'warm-up': { type: 'string', default: '10' },
  },
});
const connections = 16;
const distinct = 2000;
const leastAnswerBytes = 1000;

pinSelf(cores.load);
const directory = mkdtempSync(join(tmpdir(), 'sts-sidecar-bench-'));
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const provider = startProvider();
const servers = await startServers(directory);
try {
  const sessions = await assumeRoles(servers.targets.sidecar.url, 1);
  const { 'http-proxy': base, sidecar } = servers.targets;
  const body = Buffer.alloc(0);
  const cases = {
    '1 KiB GET of http-proxy': [
      base,
      1024,
      () => signRequests({ sessions, keysPerSession: distinct, method: 'GET', path: '/data/get/1KiB', body }),
    ],
    AssumeRole: [sidecar, leastAnswerBytes, () => signAssumeRole(distinct)],
    'AssumeRoleWithWebIdentity (RS256)': [sidecar, leastAnswerBytes, webIdentityRequests],
  };
  const measured = Object.fromEntries(Object.keys(cases).map((name) => [name, []]));
  for (let round = -1; round < Number(flags.rounds); round += 1) {
    for (const [name, [target, answerBytes, sign]] of Object.entries(cases)) {
      const requestsFile = join(directory, 'requests');
      writeRequests(requestsFile, sign());
      const seconds = Number(round < 0 ? flags['warm-up'] : flags.seconds);
      const load = { method: 'GET', requestsFile, answerBytes, connections, seconds };
      const result = await measure(target, load);
      if (result.isWrong) throw new Error(`${name}: some answers were wrong`);
      if (round >= 0) measured[name].push(result);
      process.stderr.write(`${name}, round ${round + 1}: ${result.perSecond.toFixed(0)}/s\n`);
    }
  }
  process.stdout.write(render(measured));
} finally {
  await servers.stop();
  provider.close();
  rmSync(directory, { recursive: true, force: true });
}

function render(measured) {
  const { cpu, node } = describeMachine();
  const rows = Object.entries(measured).map(([name, rounds]) => {
    const of = (field) => summarize(rounds.map((round) => round[field]));
    return { name, rate: of('perSecond'), p50: of('p50Us'), p99: of('p99Us'), cpuUs: of('cpuUs') };
  });
  const unit = rows[0].rate.median;
  const lines = rows.map(({ name, rate, p50, p99, cpuUs }) =>
    [
      name,
      `${Math.round(rate.median)} (${Math.round(rate.min)}–${Math.round(rate.max)})`,
      (rate.median / unit).toFixed(2),
      Math.round(cpuUs.median),
      `${Math.round(p50.median)} / ${Math.round(p99.median)}`,
      (p99.median / p50.median).toFixed(1),
    ].join(' | '),
  );
  const head =
    '| Case | per second, median (min–max) | × http-proxy | CPU µs | p50 / p99 µs | p99 ÷ p50 |\n|---|--:|--:|--:|--:|--:|\n';
  const what = `${connections} connections, ${distinct} distinct requests, ${flags.rounds} rounds of ${flags.seconds} s`;
  return `${cpu}, Node ${node}; ${what}.\n\n${head}${lines.map((line) => `| ${line} |\n`).join('')}`;
}

function startProvider() {
  const { port } = new URL(issuer);
  const key = { ...publicKey.export({ format: 'jwk' }), kid: 'bench', alg: 'RS256', use: 'sig' };
  return createServer((message, response) => {
    const isDiscovery = message.url?.endsWith('/openid-configuration') ?? false;
    const answer = isDiscovery ? { issuer, jwks_uri: `${issuer}/keys` } : { keys: [key] };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }).listen(Number(port), '127.0.0.1');
}

// Tokens of an hour, so one set serves every round; their subjects make them distinct.
function webIdentityRequests() {
  const now = Math.floor(Date.now() / 1000);
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return Array.from({ length: distinct }, (_, index) => {
    const claims = { iss: issuer, aud: 'bench', sub: `subject-${index}`, iat: now, exp: now + 3600 };
    const signed = `${encode({ alg: 'RS256', kid: 'bench', typ: 'JWT' })}.${encode(claims)}`;
    const token = `${signed}.${createSign('RSA-SHA256').update(signed).sign(privateKey, 'base64url')}`;
    const query = new URLSearchParams({
      Action: 'AssumeRoleWithWebIdentity',
      Version: '2011-06-15',
      RoleArn: 'arn:aws:iam::123456789012:role/federated',
      RoleSessionName: `s-${createHash('sha256').update(String(index)).digest('hex').slice(0, 8)}`,
      WebIdentityToken: token,
    });
    return { path: `/?${query}`, headers: [{ name: 'host', value: 'bench.example' }] };
  });
}
