import { randomBytes } from 'node:crypto';
import { type App, createApp } from '../../src/app.ts';
import { type LoadResult, parseConfiguration } from '../../src/config/load.ts';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import type { HeaderList } from '../../src/core/header-list.ts';
import { type Randomness, systemRandomness } from '../../src/core/randomness.ts';
import { Secret } from '../../src/core/secret.ts';
import { startDemoStore } from '../../src/demo/store/demo-store.ts';
import type { IdentityKinds } from '../../src/identity/kinds.ts';
import { acceptedOn } from './accepted-sockets.ts';

/** A clock that starts at the machine's time and moves only as tests say. */
export class TestClock implements Clock {
  #offsetMs = 0;
  now(): number {
    return systemClock.now() + this.#offsetMs;
  }
  advance(milliseconds: number): void {
    this.#offsetMs += milliseconds;
  }
}

export const account = '123456789012';
export const roleArn = (name: string): string => `arn:aws:iam::${account}:role/${name}`;

/** Long-term keys of the test users; made anew for every run. */
export const alice: { accessKeyId: string; secretAccessKey: string } = {
  accessKeyId: 'AKIAALICEALICEALICE1',
  secretAccessKey: randomBytes(30).toString('base64'),
};
export const bob: { accessKeyId: string; secretAccessKey: string } = {
  accessKeyId: 'AKIABOBBOBBOBBOBBOB1',
  secretAccessKey: randomBytes(30).toString('base64'),
};

/** The directory most tests use: alice may assume the roles, bob may do nothing. */
export const defaultDirectory: string = `
directory:
  policies:
    DataBucket:
      Version: "2012-10-17"
      Statement:
        - { Sid: Bucket, Effect: Allow, Action: ["s3:CreateBucket", "s3:DeleteBucket", "s3:ListBucket", "s3:GetBucketLocation"], Resource: "arn:aws:s3:::data" }
        - { Sid: Objects, Effect: Allow, Action: ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"], Resource: "arn:aws:s3:::data/*" }
        - { Sid: NoSecrets, Effect: Deny, Action: "s3:*", Resource: "arn:aws:s3:::data/secret/*" }
    ReadOnly:
      Version: "2012-10-17"
      Statement: [{ Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::data/*" }]
    Everything:
      Version: "2012-10-17"
      Statement: [{ Effect: Allow, Action: "*", Resource: "*" }]
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      inlinePolicies:
        Assume:
          Version: "2012-10-17"
          Statement: [{ Effect: Allow, Action: "sts:AssumeRole", Resource: "arn:aws:iam::${account}:role/*" }]
    - name: bob
      accessKeys: [{ accessKeyId: ${bob.accessKeyId}, secretAccessKey: { env: BOB } }]
  roles:
    - name: data
      policies: [DataBucket]
      trustPolicy: &trust
        Version: "2012-10-17"
        Statement: [{ Effect: Allow, Principal: { AWS: "arn:aws:iam::${account}:root" }, Action: "sts:AssumeRole" }]
    - name: reader
      policies: [ReadOnly]
      trustPolicy: *trust
    - name: admin
      policies: [Everything]
      trustPolicy: *trust
`;

/** One request as it reached the store. */
export interface SeenRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: HeaderList;
}

export interface TestSidecarOptions {
  /** The kinds of identity providers; those of the program when absent. */
  readonly identityKinds?: IdentityKinds;
  readonly clock?: Clock;
  readonly randomness?: Randomness;
  /** YAML of the `directory` section. */
  readonly directory?: string;
  /** Files that the configuration may name. */
  readonly files?: Readonly<Record<string, string>>;
  /** Further YAML at the top level. */
  readonly further?: string;
  /** The key of the token ring, 32 bytes in base64; a fresh one when absent. */
  readonly tokenKey?: string;
  /** Environment variables that the configuration may name. */
  readonly variables?: Readonly<Record<string, string>>;
  /** YAML of `account.allowedRegions`. */
  readonly allowedRegions?: string;
  /** `account.region`; us-east-1 when absent. */
  readonly region?: string;
  /** YAML of `account.disabledRegions`. */
  readonly disabledRegions?: string;
  /** Another `tokens` section, in YAML. */
  readonly tokens?: string;
  /** Lines under `server:`. */
  readonly server?: string;
  /** A store other than the demo store. */
  readonly backend?: { endpoint: string; accessKeyId: string; secretAccessKey: string; timeouts?: string };
  /** How checksum trailers are sent to the store; `reframe` when absent. */
  readonly trailers?: 'reframe' | 'decode';
  /** `backend.probeSeconds`; 0 when absent, so that a store sees only what a test sends. */
  readonly probeSeconds?: number;
  /** YAML of `admin.readyRequires`. */
  readonly readyRequires?: string;
  /** Further lines under `backend:`. */
  readonly store?: string;
  /** `backend.supports`; nothing when absent. */
  readonly supports?: readonly string[];
}

export interface TestSidecar {
  readonly url: string;
  readonly adminUrl: string;
  /** Empty without a control listener. */
  readonly controlUrl: string;
  /** Empty without a listener for container credentials. */
  readonly containerUrl: string;
  readonly storeUrl: string;
  readonly storeCredentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Everything that reached the demo store. */
  readonly seen: SeenRequest[];
  /** Everything that was logged. */
  readonly logged: string[];
  readonly app: App;
  /** Takes over a configuration made from the same options with these changes. */
  reload(changes: TestSidecarOptions): void;
  /** Hangs up on every client and stops. */
  stop(): Promise<void>;
}

/** Starts a sidecar on real sockets, in front of the demo store unless another one is named. */
export async function startSidecar(options: TestSidecarOptions = {}): Promise<TestSidecar> {
  const clock = options.clock ?? systemClock;
  const seen: SeenRequest[] = [];
  const logged: string[] = [];
  const storeSecret = options.backend?.secretAccessKey ?? randomBytes(30).toString('base64');
  const storeAccessKeyId = options.backend?.accessKeyId ?? 'STOREKEY';
  const store = await startDemoStore({
    accessKeyId: storeAccessKeyId,
    secretAccessKey: new Secret(storeSecret),
    region: 'us-east-1',
    clock,
    onRequest: (request) => seen.push(request),
  });
  const kinds = options.identityKinds === undefined ? {} : { identityKinds: options.identityKinds };
  const tokenKey = randomBytes(32).toString('base64');
  const load = (chosen: TestSidecarOptions): LoadResult => {
    const storeKey = { accessKeyId: storeAccessKeyId, secretAccessKey: storeSecret };
    return loadText({ tokenKey, ...chosen }, { url: store.url, ...storeKey });
  };
  const loaded = load(options);
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
  const app = createApp({
    ...loaded,
    ...kinds,
    clock,
    randomness: options.randomness ?? systemRandomness,
    logTo: { write: (line) => void logged.push(line) },
  });
  const { url, adminUrl, controlUrl = '', containerUrl = '' } = await app.start();
  const accepted = acceptedOn(Number(new URL(url).port));
  return {
    url,
    adminUrl,
    controlUrl,
    containerUrl,
    storeUrl: store.url,
    storeCredentials: { accessKeyId: storeAccessKeyId, secretAccessKey: storeSecret },
    seen,
    logged,
    app,
    reload: (changes) => void app.reload(load({ ...options, ...changes }), 'file'),
    stop: async () => {
      // An orderly `app.stop()` would wait seconds for what a test has left open.
      for (const socket of accepted.sockets) socket.destroy();
      accepted.stop();
      await app.stop();
      await store.close();
    },
  };
}

interface TestStore {
  readonly url: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

function loadText(options: TestSidecarOptions, store: TestStore): LoadResult {
  const variables = new Map([
    ['ALICE', alice.secretAccessKey],
    ['BOB', bob.secretAccessKey],
    ['STORE', options.backend?.secretAccessKey ?? store.secretAccessKey],
    ['TOKENS', options.tokenKey ?? ''],
    ...Object.entries(options.variables ?? {}),
  ]);
  const text = `apiVersion: sts-sidecar/v1
server:
  listen: 127.0.0.1:0
${options.server ?? ''}
admin: { listen: "127.0.0.1:0", readyRequires: ${options.readyRequires ?? '[]'} }
backend:
  probeSeconds: ${options.probeSeconds ?? 0}
  endpoint: ${options.backend?.endpoint ?? store.url}
  region: us-east-1
  credentials: { accessKeyId: ${options.backend?.accessKeyId ?? store.accessKeyId}, secretAccessKey: { env: STORE } }
  trailers: ${options.trailers ?? 'reframe'}
  supports: [${(options.supports ?? []).join(', ')}]
${options.backend?.timeouts ?? ''}
${options.store ?? ''}
account: { id: "${account}", region: ${options.region ?? 'us-east-1'}, allowedRegions: ${options.allowedRegions ?? '[]'}, disabledRegions: ${options.disabledRegions ?? '[]'} }
${options.tokens ?? 'tokens: { sealWith: k1, keys: [{ id: k1, secret: { env: TOKENS } }] }'}
${options.further ?? ''}
${options.directory ?? defaultDirectory}`;
  const kinds = options.identityKinds === undefined ? {} : { identityKinds: options.identityKinds };
  return parseConfiguration(text, 'test.yaml', {
    ...kinds,
    environment: (name) => variables.get(name),
    telemetry: (name) => variables.get(name),
    readText: (path) => {
      const content = options.files?.[path];
      return content === undefined ? { ok: false, reason: 'is no test file' } : { ok: true, text: content };
    },
  });
}
