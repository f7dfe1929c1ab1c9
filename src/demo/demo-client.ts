import { createHash } from 'node:crypto';
import { request } from 'node:http';
import type { Clock } from '../core/clock.ts';
import { Secret } from '../core/secret.ts';
import { uriEncode } from '../core/uri-encode.ts';
import { childOf, childText, readXml, type XmlElement } from '../core/xml.ts';
import { signRequest } from '../sigv4/sign.ts';
import { SigningKeyCache } from '../sigv4/signing-key.ts';

/** Credentials as an SDK would hold them. */
export interface DemoCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  readonly sessionToken?: string;
}

/** An answer, read whole. */
export interface DemoAnswer {
  readonly status: number;
  readonly body: Buffer;
}

const maxAnswerBytes = 1024 * 1024;
const region = 'us-east-1';

/** The least client that can show the sidecar at work: signs with Signature V4 and reads whole answers. */
export class DemoClient {
  readonly #endpoint: URL;
  readonly #credentials: DemoCredentials;
  readonly #clock: Clock;
  readonly #keys: SigningKeyCache = new SigningKeyCache();

  constructor(endpoint: string, credentials: DemoCredentials, clock: Clock) {
    this.#endpoint = new URL(endpoint);
    this.#credentials = credentials;
    this.#clock = clock;
  }

  /** Calls an STS action. */
  sts(parameters: Readonly<Record<string, string>>): Promise<DemoAnswer> {
    const form = Object.entries({ Version: '2011-06-15', ...parameters });
    const body = form.map(([name, value]) => `${uriEncode(name)}=${uriEncode(value)}`).join('&');
    return this.#call('sts', 'POST', '/', Buffer.from(body));
  }

  /** Sends one S3 request; `path` is not yet percent-encoded. */
  s3(method: string, path: string, body: Buffer = Buffer.alloc(0)): Promise<DemoAnswer> {
    return this.#call('s3', method, uriEncode(path, true), body);
  }

  #call(service: 's3' | 'sts', method: string, path: string, body: Buffer): Promise<DemoAnswer> {
    const { sessionToken } = this.#credentials;
    const fields = [
      { name: 'host', value: this.#endpoint.host },
      ...(service === 'sts' ? [{ name: 'content-type', value: 'application/x-www-form-urlencoded' }] : []),
      ...(sessionToken === undefined ? [] : [{ name: 'x-amz-security-token', value: sessionToken }]),
    ];
    const payloadHash = createHash('sha256').update(body).digest('hex');
    const headers = signRequest(
      { method, path, parameters: [], headers: fields, payloadHash },
      this.#credentials,
      { region, service, nowMs: this.#clock.now() },
      this.#keys,
    );
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          host: this.#endpoint.hostname,
          port: this.#endpoint.port,
          method,
          path,
          headers: Object.fromEntries(headers.map(({ name, value }) => [name, value])),
        },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks) }));
          answer.on('error', reject);
        },
      );
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }
}

/** Reads the credentials of an STS answer. */
export function readCredentials({ body }: DemoAnswer): DemoCredentials {
  const result = readXml(body, { maxBytes: maxAnswerBytes, maxDepth: 8 });
  const credentials = descend(result, ['AssumeRoleResult', 'Credentials']);
  return {
    accessKeyId: childText(credentials, 'AccessKeyId') ?? '',
    secretAccessKey: new Secret(childText(credentials, 'SecretAccessKey') ?? ''),
    sessionToken: childText(credentials, 'SessionToken') ?? '',
  };
}

/** Reads the code of an S3 or STS error. */
export function readErrorCode({ body }: DemoAnswer): string {
  const root = readXml(body, { maxBytes: maxAnswerBytes, maxDepth: 8 });
  return childText(childOf(root, 'Error') ?? root, 'Code') ?? '';
}

/** Reads who the caller is from a GetCallerIdentity answer. */
export function readCallerArn({ body }: DemoAnswer): string {
  const root = readXml(body, { maxBytes: maxAnswerBytes, maxDepth: 8 });
  return childText(descend(root, ['GetCallerIdentityResult']), 'Arn') ?? '';
}

function descend(element: XmlElement, names: readonly string[]): XmlElement {
  return names.reduce((current, name) => childOf(current, name) ?? { name, children: [], text: '' }, element);
}
