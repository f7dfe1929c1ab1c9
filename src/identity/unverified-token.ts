import { decodeUtf8 } from '../core/bytes.ts';
import { JsonError, parseJson } from '../core/json.ts';
import { isMapping, type Mapping } from '../core/mapping.ts';
import { IdentityFault } from './identity-fault.ts';

/** The parts of a compact JWS. INVARIANT: nothing in it is trusted before its signature has been verified. */
export interface UnverifiedToken {
  /** As presented, without white space at its end; never logged. */
  readonly text: string;
  readonly header: Mapping;
  readonly claims: Mapping;
  readonly issuer: string;
  /** Values of `aud`; empty when there is none. */
  readonly audiences: readonly string[];
  /** `azp`, the party the token was issued to. */
  readonly authorizedParty: string | undefined;
}

/**
 * A token of a call that may have to wait for its provider. What is read from it can take fifteen times its length in memory, so
 * it is forgotten while the call waits, and read again afterwards.
 */
export class PresentedToken implements UnverifiedToken {
  readonly text: string;
  #read: UnverifiedToken | undefined;

  /** @throws IdentityFault `malformed` or `bad_claims` */
  constructor(presented: string) {
    this.text = withoutTrailingSpace(presented);
    this.#read = readUnverifiedToken(this.text);
  }

  get header(): Mapping {
    return this.#parts.header;
  }

  get claims(): Mapping {
    return this.#parts.claims;
  }

  get issuer(): string {
    return this.#parts.issuer;
  }

  get audiences(): readonly string[] {
    return this.#parts.audiences;
  }

  get authorizedParty(): string | undefined {
    return this.#parts.authorizedParty;
  }

  /** Forgets everything but the text. */
  forget(): void {
    this.#read = undefined;
  }

  get #parts(): UnverifiedToken {
    this.#read ??= readUnverifiedToken(this.text);
    return this.#read;
  }
}

/** Longest accepted token, in characters (AWS STS API Reference, WebIdentityToken). */
const maxTokenLength = 20_000;

/** Clients that read a token from a file send the line break at its end, which AWS accepts, as others report. */
function withoutTrailingSpace(presented: string): string {
  let end = presented.length;
  // Not a regular expression, which would take the square of the length.
  while (end > 0 && ' \t\r\n'.includes(presented.charAt(end - 1))) end -= 1;
  return presented.slice(0, end);
}

const compactForm = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/;

/**
 * Reads a compact JWS (RFC 7515, section 7.1) whose payload is a JSON object. Strict: unpadded base64url, UTF-8, no repeated
 * key at any depth.
 * @throws IdentityFault `malformed` or `bad_claims`
 */
export function readUnverifiedToken(text: string): UnverifiedToken {
  const [, head, body] = text.length > maxTokenLength ? [] : (compactForm.exec(text) ?? []);
  const header = head === undefined ? undefined : decodeObject(head);
  const claims = body === undefined ? undefined : decodeObject(body);
  if (header === undefined || claims === undefined) {
    throw new IdentityFault(
      'malformed',
      'The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)',
    );
  }
  const issuer = claims['iss'];
  if (typeof issuer !== 'string' || issuer === '') {
    throw new IdentityFault('bad_claims', 'Missing a required claim: iss');
  }
  const azp = claims['azp'];
  if (azp !== undefined && typeof azp !== 'string') {
    throw new IdentityFault('bad_claims', 'The claim azp must be a string');
  }
  return { text, header, claims, issuer, audiences: readAudiences(claims['aud']), authorizedParty: azp };
}

function readAudiences(value: unknown): readonly string[] {
  if (value === undefined) return [];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (!list.every((item) => typeof item === 'string')) {
    throw new IdentityFault('bad_claims', 'The claim aud must be a string or a list of strings');
  }
  return list;
}

function decodeObject(segment: string): Mapping | undefined {
  const bytes = Buffer.from(segment, 'base64url');
  // Encoding again reveals what the lenient decoder skipped: two spellings of one token would be two tokens.
  if (bytes.toString('base64url') !== segment) return undefined;
  const json = decodeUtf8(bytes);
  if (json === undefined) return undefined;
  try {
    // Providers spell numbers in many ways (`1.7e9`, 64-bit ids). No number becomes a condition value.
    const value = parseJson(json, { maxBytes: maxTokenLength, numbers: 'any' });
    return isMapping(value) ? value : undefined;
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}
