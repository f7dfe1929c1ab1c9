import { open } from 'node:fs/promises';
import { decodeUtf8 } from '../../core/bytes.ts';
import { Secret } from '../../core/secret.ts';
import type { OutboundRequest } from '../../outbound/outbound-request.ts';
import { askProvider, type IdentityTools } from '../ask-provider.ts';
import { usableKeys } from '../discovery.ts';
import { IdentityFault } from '../identity-fault.ts';
import type { VerificationKey } from '../verification-key.ts';
import type { ApiServerSettings } from './settings.ts';

/** Largest accepted token or certificate file. */
const maxFileBytes = 262_144;
const maxAnswerBytes = 262_144;

/** The API server of a cluster, called with the sidecar's own service account. */
export class ApiServer {
  readonly #provider: string;
  readonly #settings: ApiServerSettings;
  readonly #tools: IdentityTools;

  constructor(provider: string, settings: ApiServerSettings, tools: IdentityTools) {
    this.#provider = provider;
    this.#settings = settings;
    this.#tools = tools;
  }

  /** The keys that sign service account tokens (Kubernetes, "Service account issuer discovery"). */
  async keys(): Promise<readonly VerificationKey[]> {
    const question = await this.#question('/openid/v1/jwks');
    const value = await askProvider(this.#tools, this.#provider, 'jwks', question);
    return usableKeys(value, this.#provider, this.#tools);
  }

  /** Creates a TokenReview (authentication.k8s.io/v1). Returns the response unchecked. */
  async review(token: string, audiences: readonly string[]): Promise<unknown> {
    const question = await this.#question('/apis/authentication.k8s.io/v1/tokenreviews');
    return askProvider(this.#tools, this.#provider, 'token_review', {
      ...question,
      json: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token, audiences } },
    });
  }

  async #question(path: string): Promise<OutboundRequest> {
    const { url, caFile, tokenFile } = this.#settings;
    const [caPem, token] = await Promise.all([readSmallFile(caFile), readSmallFile(tokenFile)]);
    return { url: url + path, maxBytes: maxAnswerBytes, caPem, bearer: new Secret(token.trim()) };
  }
}

async function readSmallFile(path: string): Promise<string> {
  try {
    const file = await open(path, 'r');
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(maxFileBytes), 0, maxFileBytes);
      const text = bytesRead < maxFileBytes ? decodeUtf8(buffer.subarray(0, bytesRead)) : undefined;
      if (text === undefined || text.trim() === '') throw new Error('empty, too large or not UTF-8');
      return text;
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new IdentityFault('provider_unreachable', 'The identity provider could not be reached', {
      detail: `the file ${path} cannot be read`,
      cause,
    });
  }
}
