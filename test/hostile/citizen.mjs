// A well-behaved client in a process of its own, so that the attackers' work does not count as its waiting.
// Reads {url, requests, perSecond, seconds} as JSON from stdin; prints {sent, failures, p50Ms, p99Ms} when it is done.
import { Agent, request } from 'node:http';
import { performance } from 'node:perf_hooks';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';

const { url, requests, perSecond, seconds } = JSON.parse(await text(process.stdin));
const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const timeoutMs = 20_000;

function send({ method, path, headers, body }) {
  return new Promise((resolve) => {
    const message = request(url + path, { method, headers, agent, timeout: timeoutMs }, (response) => {
      let answer = '';
      response.setEncoding('utf8');
      response.on('data', (piece) => {
        if (answer.length < 300) answer += piece;
      });
      response.on('end', () =>
        resolve(response.statusCode === 200 ? undefined : `${response.statusCode} ${answer}`),
      );
      response.on('error', (error) => resolve(String(error)));
    });
    message.on('timeout', () => message.destroy(new Error(`no answer in ${timeoutMs} ms`)));
    message.on('error', (error) => resolve(`${method} ${path}: ${error.code ?? error.message}`));
    message.end(body);
  });
}

const latenciesMs = [];
const failures = [];
const pending = [];
const startedAt = performance.now();
for (let index = 0; index < perSecond * seconds; index += 1) {
  const dueAt = startedAt + (index * 1000) / perSecond;
  const waitMs = dueAt - performance.now();
  if (waitMs > 0) await setTimeout(waitMs);
  const sentAt = performance.now();
  pending.push(
    send(requests[index % requests.length]).then((failure) => {
      latenciesMs.push(performance.now() - sentAt);
      if (failure !== undefined) failures.push(failure);
    }),
  );
}
await Promise.all(pending);
agent.destroy();
latenciesMs.sort((left, right) => left - right);
const quantile = (part) =>
  latenciesMs[Math.min(latenciesMs.length - 1, Math.floor(latenciesMs.length * part))];
process.stdout.write(
  JSON.stringify({ sent: latenciesMs.length, failures, p50Ms: quantile(0.5), p99Ms: quantile(0.99) }),
);
