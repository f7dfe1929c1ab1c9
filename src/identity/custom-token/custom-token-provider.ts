/*
 * This folder owns custom tokens, which a webhook verifies (MinIO, "Identity Management Plugin").
 * In: a token. Out: the user that the webhook names, and how long a session may last.
 * It never reads the token itself, and never caches a verdict: every token is sent to the webhook.
 * An unexpected answer is an error, never an approval.
 */

import type { OutboundAnswer } from '../../outbound/guarded-fetch.ts';
import { OutboundFault } from '../../outbound/outbound-fault.ts';
import { askForAnswer, type IdentityTools, reachProvider } from '../ask-provider.ts';
import { IdentityFault } from '../identity-fault.ts';
import type { CustomTokenIdentity, PlainTokenProvider } from '../provider.ts';
import { ProviderRoom, type WaitObserver } from '../provider-room.ts';
import type { CustomTokenProviderSettings } from './settings.ts';
import { readVerdict } from './verdict.ts';

/** Largest accepted response; real ones have a few hundred bytes. */
const maxAnswerBytes = 65_536;
/** Limit for one request as a whole (MinIO, "Identity Management Plugin"). */
const budgetSeconds = 5;
const denied = 403;
/** Longest token as it stands in the query. Encoding makes up to nine characters of one, and each waiting call holds some copies. */
const maxEncodedLength = 32_768;

/** One webhook. */
export class CustomTokenProvider implements PlainTokenProvider {
  readonly form = 'customToken';
  readonly #settings: CustomTokenProviderSettings;
  readonly #tools: IdentityTools;
  readonly #room: ProviderRoom;

  constructor(settings: CustomTokenProviderSettings, tools: IdentityTools) {
    this.#settings = settings;
    this.#tools = tools;
    this.#room = new ProviderRoom(settings.name);
  }

  /**
   * Asks the webhook who holds a token.
   * @throws IdentityFault `malformed` for a token that is too long, `provider_denied` with the webhook's reason,
   * `provider_unreachable`, `provider_busy`, or `bad_answer` for a response that neither accepts nor denies the token
   */
  async identify(token: string, observe?: WaitObserver): Promise<CustomTokenIdentity> {
    if (encodeURIComponent(token).length > maxEncodedLength) {
      throw new IdentityFault('malformed', 'The token is too long', { provider: this.#settings.name });
    }
    const verdict = readVerdict(await this.#room.wait(() => this.#ask(token), observe));
    if (verdict === undefined) {
      throw unusable(this.#settings.name, 'the webhook answered something else than it must');
    }
    if (verdict.kind === 'denied') {
      throw new IdentityFault('provider_denied', verdict.reason, { provider: this.#settings.name });
    }
    const { user, maxValiditySeconds } = verdict;
    return { provider: this.#settings.name, user, maxValiditySeconds };
  }

  async probe(): Promise<void> {
    await reachProvider(this.#tools, this.#settings.name, this.#settings.url);
  }

  async #ask(token: string): Promise<OutboundAnswer> {
    const { url, authToken } = this.#settings;
    try {
      return await askForAnswer(this.#tools, this.#settings.name, 'custom_token', {
        url: withToken(url, token),
        isEmptyPost: true,
        readStatus: denied,
        maxBytes: maxAnswerBytes,
        timeoutSeconds: budgetSeconds,
        ...(authToken === undefined ? {} : { authorization: authToken }),
      });
    } catch (cause) {
      if (!(cause instanceof OutboundFault)) throw cause;
      const detail = `the webhook failed: ${cause.message}`;
      if (!cause.isTransient) throw unusable(this.#settings.name, detail, cause);
      throw new IdentityFault('provider_unreachable', 'The identity provider could not be reached', {
        provider: this.#settings.name,
        detail,
        cause,
      });
    }
  }
}

// The configured query is kept byte for byte.
function withToken(url: string, token: string): string {
  const separator = !url.includes('?') ? '?' : /[?&]$/.test(url) ? '' : '&';
  return `${url}${separator}token=${encodeURIComponent(token)}`;
}

function unusable(provider: string, detail: string, cause?: unknown): IdentityFault {
  return new IdentityFault('bad_answer', 'The identity provider did not accept the token', {
    provider,
    detail,
    cause,
  });
}
