/* The listeners. Like sections.ts, the one place where these settings are written. */

import { z } from 'zod';
import { isLoopbackHost } from '../core/loopback.ts';
import {
  addressRange,
  fileName,
  listenAddress,
  serverName,
  virtualHost,
  wholeNumber,
} from '../schema/scalars.ts';
import { secretSource } from '../schema/value-source.ts';
import { policy } from './policy-form.ts';

const oneDaySeconds = 86_400;

const limits = z.strictObject({
  // The least that a signed request needs, and more than any client sends.
  maxHeaderBytes: wholeNumber(4096, 1_048_576).default(32_768).describe('Size of a request head.'),
  headersTimeoutSeconds: wholeNumber(1, 3600).default(30).describe('Time to receive a request head.'),
  idleTimeoutSeconds: wholeNumber(1, oneDaySeconds)
    .default(120)
    .describe('Time that a connection may be silent.'),
  maxConnections: wholeNumber(1, 1_000_000).default(10_000).describe('Open client connections.'),
  maxInFlight: wholeNumber(1, 1_000_000)
    .default(2000)
    .describe(
      'Authenticated requests being answered at the same time. While others call too, one user or role takes three quarters of them at most.',
    ),
  maxUnauthenticated: wholeNumber(1, 100_000)
    .default(64)
    .describe(
      'Requests at the same time whose signature has not been verified. Must be below `maxConnections`, or unauthenticated clients can take every connection.',
    ),
  // Room for one parsed document of the largest kind, and as much again for all other requests.
  maxBufferedBytes: wholeNumber(16_777_216, 17_179_869_184)
    .default(67_108_864)
    .describe('Bytes of all bodies and answers that are held in memory as a whole.'),
  requestsPerSecondPerClient: wholeNumber(0, 1_000_000)
    .default(0)
    .describe(
      'Requests of one user or role in a second, at this process; of clients that are not authenticated, those of one network. 0 means no limit.',
    ),
});

const pair = {
  certFile: fileName.describe('The certificate and the chain behind it, PEM.'),
  keyFile: fileName.describe('The key of the certificate, PEM, without a passphrase.'),
};

const namedPair = z.strictObject({
  ...pair,
  names: z
    .array(serverName)
    .prefault([])
    .describe(
      'Host names of clients that are shown this certificate; `*.` stands for one label. Empty: the DNS names of the certificate.',
    ),
});

const tls = z
  .strictObject({
    ...pair,
    certificates: z
      .array(namedPair)
      .max(100)
      .prefault([])
      .describe(
        'Further certificates, each for the clients that ask for one of its names (SNI). All others are shown that of `certFile`.',
      ),
    clientCaFile: fileName
      .optional()
      .describe(
        'Certificates of authorities, PEM. Clients must then show a certificate of one of them; who they are is still decided by their signature.',
      ),
    maxVersion: z
      .enum(['TLSv1.2', 'TLSv1.3'])
      .optional()
      .describe(
        'The highest version. Without it, `TLSv1.3` with `clientCaFile` and `TLSv1.2` otherwise, since strangers can repeat key updates of TLS 1.3; see docs/operating.md.',
      ),
  })
  .optional();

export const server = z
  .strictObject({
    listen: listenAddress
      .prefault('127.0.0.1:9000')
      .describe('Address of S3 and STS: host and port, an IPv6 address in brackets.'),
    limits: limits.prefault({}).describe('Limits on what clients can hold; see docs/operating.md.'),
    drainSeconds: wholeNumber(1, oneDaySeconds)
      .default(25)
      .describe(
        'Time that requests in progress have to finish after SIGTERM. The process ends as soon as they have.',
      ),
    tls: tls.describe(
      'TLS with HTTP/1.1. The files are read again when they change. Without it, plain HTTP.',
    ),
    virtualHosts: z
      .array(virtualHost)
      .prefault([])
      .describe(
        'Host names whose subdomains are buckets: with `s3.example.com`, `data.s3.example.com` is `data`.',
      ),
    trustedProxies: z
      .array(addressRange)
      .prefault([])
      .describe(
        'Addresses or CIDR ranges of proxies whose `X-Forwarded-For`, `-Proto` and `-Host` headers are believed.',
      ),
  })
  .prefault({})
  .describe('The listener that clients talk to.');

export const admin = z
  .strictObject({
    listen: listenAddress.prefault('0.0.0.0:9090').describe('Address of `/livez`, `/readyz` and `/metrics`.'),
    tls: tls.describe('TLS of this listener, as for `server`. Without it, plain HTTP.'),
    readyRequires: z
      .array(z.enum(['store', 'store_credentials', 'redis', 'identity_providers', 'audit', 'tls']))
      .prefault([])
      .describe(
        'Parts without which `/readyz` answers 503, besides those that it always needs; see docs/operating.md. A fault of what all replicas share takes all of them out of service.',
      ),
  })
  .prefault({})
  .describe('The listener for probes and metrics.');

export const control = z
  .strictObject({
    listen: listenAddress.prefault('127.0.0.1:9091').describe('A loopback address, unless `tls` is set.'),
    tls: tls.describe('TLS of this listener, as for `server`. Without it, plain HTTP on loopback only.'),
    token: secretSource
      .optional()
      .describe(
        'The bearer token that requests carry, 16 to 512 printable characters. Without one the listener is off.',
      ),
  })
  .prefault({})
  .describe('The listener for run-time revocation; see docs/revocation.md.');

/** The address of the container credentials endpoint of Amazon ECS: the only one beside loopback that all SDKs accept over http. */
const containerAddress = '169.254.170.2';

export const containerCredentials = z
  .strictObject({
    listen: listenAddress
      .refine(({ host }) => isLoopbackHost(host) || host === containerAddress, {
        error: `must be a loopback address or ${containerAddress}: its traffic is not encrypted`,
      })
      .optional()
      .describe(
        `Address of \`/v1/credentials\`: a loopback one, or ${containerAddress} where this host has it. Without one the listener is off.`,
      ),
    scopeDownPolicy: policy
      .optional()
      .describe('A session policy that every session from here gets; what it does not allow is denied.'),
  })
  .prefault({})
  .describe(
    'The listener from which SDKs fetch credentials with the token of a pod; see docs/container-credentials.md.',
  );
