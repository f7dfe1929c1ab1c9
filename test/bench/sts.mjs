// STS actions on one core, in multiples of the rate at which bare http-proxy answers 1 KiB GET in the same run.
import { createHash, createSign, generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { measure, writeRequests } from './load.mjs';
import { describeMachine } from './machine.mjs';
import { summarize } from './report.mjs';
import { assumeRoles, issuer, signAssumeRole, signRequests } from './sidecar.mjs';

const connections = 16;
const distinct = 2000;
const leastAnswerBytes = 1000;

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

/** Measures every action in turn and returns the table. Rejects when any answer was wrong. */
export async function benchSts(targets, directory, { rounds, seconds }) {
  const provider = startProvider();
  try {
    const cases = await prepareCases(targets);
    const measured = Object.fromEntries(cases.map(({ name }) => [name, []]));
    // The first two rounds warm up.
    for (let round = -2; round < rounds; round += 1) {
      for (const { name, target, answerBytes, sign } of cases) {
        const requestsFile = join(directory, 'requests');
        writeRequests(requestsFile, sign());
        const load = { method: 'GET', requestsFile, answerBytes, connections };
        const result = await measure(target, { ...load, seconds });
        if (result.isWrong) throw new Error(`${name}: some answers were wrong`);
        if (round >= 0) measured[name].push(result);
        process.stderr.write(`${name}, round ${round + 1}: ${result.perSecond.toFixed(0)}/s\n`);
      }
    }
    return render(measured, `${rounds} rounds of ${seconds} s`);
  } finally {
    provider.close();
  }
}

async function prepareCases({ 'http-proxy': base, sidecar }) {
  const sessions = await assumeRoles(sidecar.url, 1);
  const reads = {
    sessions,
    keysPerSession: distinct,
    method: 'GET',
    path: '/data/get/1KiB',
    body: Buffer.alloc(0),
  };
  const action = { target: sidecar, answerBytes: leastAnswerBytes };
  return [
    { name: '1 KiB GET of http-proxy', target: base, answerBytes: 1024, sign: () => signRequests(reads) },
    { name: 'AssumeRole', ...action, sign: () => signAssumeRole(distinct) },
    { name: 'AssumeRoleWithWebIdentity (RS256)', ...action, sign: webIdentityRequests },
  ];
}

function render(measured, duration) {
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
  const what = `${connections} connections, ${distinct} distinct requests, ${duration}`;
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
