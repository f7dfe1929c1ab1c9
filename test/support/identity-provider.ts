import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type CryptoKey, exportJWK, generateKeyPair, importPKCS8, type JWK, SignJWT } from 'jose';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import { type BorrowedKey, borrowRsaKey } from './keys.ts';

const tlsFile = (name: string): URL => new URL(`tls/${name}`, import.meta.url);

/** The authority that test servers with TLS are certified by, PEM. */
export const testCaPem: string = readFileSync(tlsFile('ca.pem'), 'utf8');
/** Its file. */
export const testCaFile: string = tlsFile('ca.pem').pathname;

/** A server on a free loopback port. */
export interface LocalServer {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** Starts an HTTP or HTTPS server on 127.0.0.1. */
export async function startLocalServer(listener: RequestListener, tls = false): Promise<LocalServer> {
  const server = tls
    ? createTlsServer(
        { cert: readFileSync(tlsFile('server.pem')), key: readFileSync(tlsFile('server-key.pem')) },
        listener,
      )
    : createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

export interface IdentityProviderOptions {
  readonly tls?: boolean;
  readonly clock?: Clock;
  /** Signature algorithm of minted tokens; RS256 when absent. */
  readonly algorithm?: string;
  /** Path of the key set; `/jwks` when absent. */
  readonly jwksPath?: string;
  /** What UserInfo answers to any access token; there is no UserInfo when absent. */
  readonly userInfo?: Readonly<Record<string, unknown>>;
}

/** One signing key of a test issuer. */
export interface IssuerKey {
  readonly id: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

/** A local issuer: discovery, key set, and tokens of any claims. */
export interface TestIdentityProvider {
  /** The issuer, also its URL. */
  readonly issuer: string;
  /** Path of every request that arrived. */
  readonly requests: string[];
  /** The key that signs now. */
  key(): IssuerKey;
  /** Replaces how the server answers; `undefined` goes back to normal. */
  answerWith(listener: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined): void;
  /** Changes the published key set. */
  publish(keys: readonly JWK[]): void;
  /** A token of this issuer that is valid for ten minutes; `claims` replace the usual ones, `undefined` removes one. */
  mint(
    claims?: Readonly<Record<string, unknown>>,
    header?: Readonly<Record<string, unknown>>,
  ): Promise<string>;
  /** Signs with a new key from now on; the old one is no longer published. */
  rotate(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a local issuer on a free port. */
export async function startIdentityProvider(
  options: IdentityProviderOptions = {},
): Promise<TestIdentityProvider> {
  const { clock = systemClock, algorithm = 'RS256', jwksPath = '/jwks', tls = false, userInfo } = options;
  const requests: string[] = [];
  let count = 1;
  const borrowed: BorrowedKey[] = [];
  // Never a key of another issuer that is running, nor one that this issuer has had.
  const nextKey = (): Promise<IssuerKey> => {
    const id = `key-${count}`;
    if (!isRsa(algorithm)) return makeKey(algorithm, id);
    const next = borrowRsaKey();
    borrowed.push(next);
    return publishable(next.key, algorithm, id);
  };
  let key = await nextKey();
  let published: readonly JWK[] = [key.publicJwk];
  let override: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  const server = await startLocalServer((request, response) => {
    requests.push(request.url ?? '');
    if (override?.(request, response) === true) return;
    const documents: Record<string, unknown> = {
      '/.well-known/openid-configuration': {
        issuer,
        jwks_uri: `${issuer}${jwksPath}`,
        ...(userInfo === undefined ? {} : { userinfo_endpoint: `${issuer}/userinfo` }),
      },
      [jwksPath]: { keys: published },
      ...(userInfo === undefined ? {} : { '/userinfo': userInfo }),
    };
    const document = documents[request.url ?? ''];
    response.writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(document ?? {}));
  }, tls);
  const issuer = server.url;
  return {
    issuer,
    requests,
    key: () => key,
    answerWith: (listener) => {
      override = listener;
    },
    publish: (keys) => {
      published = keys;
    },
    mint: (claims = {}, header = {}) => {
      const now = Math.floor(clock.now() / 1000);
      const all = { iss: issuer, sub: 'subject-1', aud: 'sts-sidecar', iat: now, exp: now + 600, ...claims };
      return new SignJWT(all)
        .setProtectedHeader({ alg: algorithm, kid: key.id, ...header })
        .sign(key.privateKey);
    },
    rotate: async () => {
      count += 1;
      key = await nextKey();
      published = [key.publicJwk];
    },
    stop: async () => {
      await server.close();
      for (const one of borrowed) one.giveBack();
    },
  };
}

const isRsa = (algorithm: string): boolean => /^[RP]S/.test(algorithm);

/** An RSA key for one algorithm, with its published form. */
export async function publishable(key: KeyObject, algorithm: string, id: string): Promise<IssuerKey> {
  const privateKey = await importPKCS8(key.export({ type: 'pkcs8', format: 'pem' }).toString(), algorithm);
  const publicJwk = { ...(await exportJWK(createPublicKey(key))), kid: id, alg: algorithm, use: 'sig' };
  return { id, privateKey, publicJwk };
}

/** A new key pair with its published form. */
export async function makeKey(algorithm: string, id: string): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  const publicJwk = { ...(await exportJWK(publicKey)), kid: id, alg: algorithm, use: 'sig' };
  return { id, privateKey, publicJwk };
}

/** Claims that Kubernetes puts into the token of a pod's service account. */
export function serviceAccountClaims(namespace: string, name: string): Record<string, unknown> {
  return {
    sub: `system:serviceaccount:${namespace}:${name}`,
    'kubernetes.io': {
      namespace,
      pod: { name: `${name}-0`, uid: '11111111-2222-3333-4444-555555555555' },
      serviceaccount: { name, uid: '66666666-7777-8888-9999-000000000000' },
    },
  };
}
