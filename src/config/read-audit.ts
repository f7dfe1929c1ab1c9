import { isLoopbackHost } from '../core/loopback.ts';
import type { Secret } from '../core/secret.ts';
import type { ValueRule } from '../schema/value-source.ts';
import { quoteText } from './path.ts';
import type { Reading } from './reading.ts';
import { readSecret } from './secret-value.ts';
import { sections } from './sections.ts';
import type { Settings } from './settings.ts';

const headerRule: ValueRule = {
  isValid: (text) => /^[\x21-\x7e](?:[\x20-\x7e]{0,8190}[\x21-\x7e])?$/.test(text),
  message: 'must be 1 to 8192 printable characters without spaces around them',
};

/** Reads `audit`, with the headers of its webhook; without a sink there is no audit trail. */
export function readAudit(
  reading: Reading,
  outbound: Settings['outbound'] | undefined,
): Settings['audit'] | undefined {
  const shape = reading.read(['audit'], sections.audit);
  if (shape === undefined) return undefined;
  const { stdout, file, webhook: sent, failClosed, ...limits } = shape;
  const hasSink = stdout || file !== undefined || sent !== undefined;
  if (!hasSink && failClosed)
    reading.problem(['audit', 'failClosed'], 'needs a sink: stdout, file or webhook');
  else if (!hasSink && reading.valueAt(['audit']) !== undefined)
    reading.warn(['audit'], 'without stdout, file or webhook there is no audit trail');
  const webhook = sent && readWebhook(reading, sent, outbound);
  if (sent !== undefined && webhook === undefined) return undefined;
  return {
    stdout,
    failClosed,
    ...limits,
    ...(file === undefined ? {} : { file: reading.context.sources.resolvePath?.(file) ?? file }),
    ...(webhook === undefined ? {} : { webhook }),
  };
}

type Webhook = NonNullable<Settings['audit']['webhook']>;

function readWebhook(
  reading: Reading,
  { url, headers: sources }: { readonly url: string; readonly headers: Readonly<Record<string, Source>> },
  outbound: Settings['outbound'] | undefined,
): Webhook | undefined {
  const { protocol, hostname, origin } = new URL(url);
  const isAllowed = protocol === 'https:' || isLoopbackHost(hostname) || outbound?.allowHttp.includes(origin);
  if (outbound !== undefined && isAllowed !== true) {
    reading.problem(
      ['audit', 'webhook', 'url'],
      `must be https; to allow plain http, list ${quoteText(origin)} in outbound.allowHttp`,
    );
  }
  const headers: [name: string, value: Secret][] = [];
  for (const [name, source] of Object.entries(sources)) {
    const value = readSecret(reading, ['audit', 'webhook', 'headers', name], source, headerRule);
    if (value !== undefined) headers.push([name, value]);
  }
  return headers.length === Object.keys(sources).length
    ? { url, headers: Object.fromEntries(headers) }
    : undefined;
}

type Source = Parameters<typeof readSecret>[2];
