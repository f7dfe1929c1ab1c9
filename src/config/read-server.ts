import { z } from 'zod';
import { memoryFaults } from './memory-estimate.ts';
import type { Reading } from './reading.ts';
import { addressRange, listenAddress, virtualHost, wholeNumber } from './scalars.ts';
import type { ListenAddress, ServerSettings } from './settings.ts';
import { unsupportedMessage } from './unsupported.ts';

const oneDaySeconds = 86_400;

const requestRate = wholeNumber(0, 1_000_000).refine((rate) => rate === 0, {
  error: `values above 0 are ${unsupportedMessage}`,
});

const limits = z.strictObject({
  // The least that a signed request needs, and more than any client sends.
  maxHeaderBytes: wholeNumber(4096, 1_048_576).default(32_768),
  headersTimeoutSeconds: wholeNumber(1, 3600).default(30),
  idleTimeoutSeconds: wholeNumber(1, oneDaySeconds).default(120),
  maxConnections: wholeNumber(1, 1_000_000).default(10_000),
  maxInFlight: wholeNumber(1, 1_000_000).default(2000),
  maxUnauthenticated: wholeNumber(1, 100_000).default(64),
  // Room for one parsed document of the largest kind, and as much again for all other requests.
  maxBufferedBytes: wholeNumber(16_777_216, 17_179_869_184).default(67_108_864),
  requestsPerSecondPerClient: requestRate.default(0),
});

const server = z
  .strictObject({
    listen: listenAddress.prefault('127.0.0.1:9000'),
    limits: limits.prefault({}),
    virtualHosts: z.array(virtualHost).default([]),
    trustedProxies: z.array(addressRange).default([]),
  })
  .prefault({});

const admin = z.strictObject({ listen: listenAddress.prefault('0.0.0.0:9090') }).prefault({});

/** Reads `server`. */
export function readServer(reading: Reading): ServerSettings | undefined {
  const settings = reading.read(['server'], server);
  if (settings !== undefined) checkLimits(reading, settings.limits);
  return settings;
}

/** Warns of limits that can never take effect, and of limits that need more memory than there is. */
function checkLimits(reading: Reading, limits: ServerSettings['limits']): void {
  const path = ['server', 'limits'];
  const { maxConnections, maxUnauthenticated } = limits;
  if (maxUnauthenticated >= maxConnections) {
    const message = `is ${maxUnauthenticated}, and maxConnections ${maxConnections}: unauthenticated clients can take them all`;
    reading.warn([...path, 'maxUnauthenticated'], message);
  }
  const { memory } = reading.context.sources;
  if (memory === undefined) return;
  for (const fault of memoryFaults(limits, memory)) reading.warn(path, fault);
}

/** Reads `admin`. */
export function readAdmin(reading: Reading): { readonly listen: ListenAddress } | undefined {
  return reading.read(['admin'], admin);
}
