/* The section `state`. Like sections.ts, the one place where its settings are written. */

import { z } from 'zod';
import { fileName, textLike, wholeNumber } from '../schema/scalars.ts';
import { secretSource } from '../schema/value-source.ts';

const oneDaySeconds = 86_400;
/** More than enough to find the others by. */
const maxNodes = 32;

const host = textLike(/^[0-9A-Za-z.:_-]{1,253}$/, 'must be a host name or an address, without a port');
const userName = textLike(/^[\x21-\x7e]{1,128}$/, 'must be 1 to 128 printable characters without spaces');
const nodeUrl = z.string().refine(isNodeUrl, {
  error: 'must be redis://host:port or rediss://host:port, without a user, a password and a database',
});

function isNodeUrl(text: string): boolean {
  return /^rediss?:\/\/[^/?#@\s]+$/.test(text) && URL.canParse(text) && new URL(text).hostname !== '';
}

const redis = z
  .strictObject({
    url: secretSource
      .optional()
      .describe(
        'One Redis: `redis://` or `rediss://`, host and port, with `user:password@` before it and `/number` after it if needed.',
      ),
    sentinels: z
      .array(
        z.strictObject({
          host: host.describe('Host name or address.'),
          port: wholeNumber(1, 65_535).default(26_379).describe('Port.'),
        }),
      )
      .min(1, { error: 'must name at least one' })
      .max(maxNodes, { error: `must not name more than ${maxNodes}` })
      .optional()
      .describe(
        'Sentinels, instead of `url`: they say which Redis is the master, at the start and after each failover.',
      ),
    masterName: textLike(/^[\w.-]{1,128}$/, 'must be 1 to 128 letters, digits, "_", "." or "-"')
      .optional()
      .describe('The name that the Sentinels have for the master.'),
    database: wholeNumber(0, 9999).optional().describe('The number of the database, with `sentinels`.'),
    sentinelUsername: userName.optional().describe('The user of the ACL of the Sentinels.'),
    sentinelPassword: secretSource.optional().describe('The password of the Sentinels.'),
    cluster: z
      .array(nodeUrl)
      .min(1, { error: 'must name at least one node' })
      .max(maxNodes, { error: `must not name more than ${maxNodes}` })
      .optional()
      .describe(
        'Nodes of a Redis Cluster, instead of `url`: `redis://host:port` or, for TLS with all nodes, `rediss://host:port`. Three are enough; they name the others.',
      ),
    username: userName.optional().describe('The user of the ACL, unless the URL has one.'),
    password: secretSource.optional().describe('The password, unless the URL has one.'),
    tls: z
      .boolean()
      .optional()
      .describe(
        'With `sentinels`: whether the Sentinels and the nodes that they name speak TLS. A URL says it by its scheme.',
      ),
    caFile: fileName
      .optional()
      .describe('Certificates of private authorities, PEM, trusted besides the public ones.'),
    certFile: fileName
      .optional()
      .describe('The certificate that Redis asks for, and the chain behind it, PEM.'),
    keyFile: fileName.optional().describe('The key of that certificate, PEM, without a passphrase.'),
  })
  .optional()
  .describe(
    'The Redis that all replicas share: one of `url`, `sentinels` and `cluster`. Without it, each process knows only what it saw itself.',
  );

export const state = z
  .strictObject({
    redis,
    maxStalenessSeconds: wholeNumber(1, oneDaySeconds)
      .default(60)
      .describe('How long the last known revocations are used while Redis cannot be reached.'),
  })
  .prefault({})
  .describe('Where used one-time codes, used SAML assertions and run-time revocations are kept.');
