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

/** Reads `audit`, with the headers of its collectors; without a sink there is no audit trail. */
export function readAudit(
  reading: Reading,
  outbound: Settings['outbound'] | undefined,
): Settings['audit'] | undefined {
  const shape = reading.read(['audit'], sections.audit);
  if (shape === undefined) return undefined;
  const { stdout, file, webhook: toWebhook, otlp: toOtlp, failClosed, ...limits } = shape;
  const hasSink = stdout || file !== undefined || toWebhook !== undefined || toOtlp !== undefined;
  if (!hasSink && failClosed)
    reading.problem(['audit', 'failClosed'], 'needs a sink: stdout, file, webhook or otlp');
  else if (!hasSink && reading.valueAt(['audit']) !== undefined)
    reading.warn(['audit'], 'without stdout, file, webhook or otlp there is no audit trail');
  const webhook = toWebhook && readCollector(reading, 'webhook', toWebhook, outbound);
  const otlp = toOtlp && readCollector(reading, 'otlp', toOtlp, outbound);
  if ((toWebhook !== undefined && webhook === undefined) || (toOtlp !== undefined && otlp === undefined))
    return undefined;
  return {
    stdout,
    failClosed,
    ...limits,
    ...(file === undefined ? {} : { file: reading.context.sources.resolvePath?.(file) ?? file }),
    ...(webhook === undefined ? {} : { webhook }),
    ...(otlp === undefined ? {} : { otlp }),
  };
}

type Collector = NonNullable<Settings['audit']['webhook']>;

function readCollector(
  reading: Reading,
  sink: 'webhook' | 'otlp',
  { url, headers: sources }: { readonly url: string; readonly headers: Readonly<Record<string, Source>> },
  outbound: Settings['outbound'] | undefined,
): Collector | undefined {
  const { protocol, hostname, origin } = new URL(url);
  const isAllowed = protocol === 'https:' || isLoopbackHost(hostname) || outbound?.allowHttp.includes(origin);
  if (outbound !== undefined && isAllowed !== true) {
    reading.problem(
      ['audit', sink, 'url'],
      `must be https; to allow plain http, list ${quoteText(origin)} in outbound.allowHttp`,
    );
  }
  const headers: [name: string, value: Secret][] = [];
  for (const [name, source] of Object.entries(sources)) {
    const value = readSecret(reading, ['audit', sink, 'headers', name], source, headerRule);
    if (value !== undefined) headers.push([name, value]);
  }
  return headers.length === Object.keys(sources).length
    ? { url, headers: Object.fromEntries(headers) }
    : undefined;
}

type Source = Parameters<typeof readSecret>[2];
