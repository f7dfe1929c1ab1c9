import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { busyShare, cores, coreTicks, processCpuUs } from './machine.mjs';

const script = new URL('rotate.lua', import.meta.url).pathname;
// Heads of answers; a GET's bytes are counted with them.
const maxHeadBytes = 2048;

/** Writes signed requests in the form `rotate.lua` reads. */
export function writeRequests(file, signed) {
  const line = ({ path, headers }) =>
    // wrk adds its own unless it finds the name spelt so.
    [path, ...headers.flatMap(({ name, value }) => [name === 'host' ? 'Host' : name, value])].join('\t');
  writeFileSync(file, `${signed.map(line).join('\n')}\n`);
}

/** Sends one of the requests and demands status 200 and the exact length. */
export async function probe(url, method, signed, body, expectedBytes) {
  const headers = Object.fromEntries(signed.headers.map(({ name, value }) => [name, value]));
  if (method === 'PUT') headers['content-length'] = String(body.length);
  const outgoing = request(new URL(signed.path, url), { method, headers, agent: false });
  outgoing.end(body);
  const [answer] = await once(outgoing, 'response');
  let length = 0;
  for await (const chunk of answer) length += chunk.length;
  if (answer.statusCode !== 200 || length !== expectedBytes) {
    throw new Error(`${method} ${url}${signed.path} answered ${answer.statusCode} with ${length} bytes`);
  }
}

/**
 * Loads one target once. Returns requests per second, latency, CPU time of the target and how busy both cores were.
 * `isWrong` when a request failed or the bytes received are not those of that many answers.
 */
export async function measure(target, { method, requestsFile, bodyFile, answerBytes, connections, seconds }) {
  const readings = () => ({
    cpuUs: processCpuUs(target.pid),
    proxy: coreTicks(cores.proxy),
    load: coreTicks(cores.load),
  });
  const before = readings();
  const result = await runWrk(target.url, {
    flags: ['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '--timeout', '30s', '-s', script],
    arguments: [method, requestsFile, ...(bodyFile === undefined ? [] : [bodyFile])],
  });
  const after = readings();
  const { requests, bytes, failed } = result;
  const least = requests * answerBytes;
  // Every connection can be in the middle of an answer at the end.
  const most = (requests + connections) * (answerBytes + maxHeadBytes);
  return {
    requests,
    perSecond: (requests * 1e6) / result.durationUs,
    p50Us: result.p50Us,
    p99Us: result.p99Us,
    cpuUs: (after.cpuUs - before.cpuUs) / Math.max(1, requests),
    proxyBusy: busyShare(before.proxy, after.proxy),
    loadBusy: busyShare(before.load, after.load),
    isWrong: requests === 0 || failed > 0 || bytes < least || bytes > most,
  };
}

async function runWrk(url, { flags, arguments: scriptArguments }) {
  const child = spawn('taskset', ['-c', String(cores.load), 'wrk', ...flags, url, '--', ...scriptArguments], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  const [code] = await once(child, 'close');
  const line = text.split('\n').find((candidate) => candidate.startsWith('{'));
  if (code !== 0 || line === undefined) throw new Error(`wrk ended with ${code}: ${text}`);
  return JSON.parse(line);
}
