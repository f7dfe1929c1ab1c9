import { policyVocabulary } from '../../src/app/policy-vocabulary.ts';
import { type LoadResult, type Overrides, parseConfiguration } from '../../src/config/load.ts';
import type { MemoryLimits } from '../../src/config/memory-estimate.ts';
import type { ConfigurationSources } from '../../src/config/sources.ts';

/** Files and variables that {@link parse} finds; everything else does not exist. */
export interface World {
  readonly variables?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly overrides?: Overrides;
  readonly memory?: MemoryLimits;
  readonly maxOpenFiles?: number;
}

/** A key ring key: 32 bytes in base64. */
export const tokenKey: string = Buffer.alloc(32, 7).toString('base64');

/** The sections that have no defaults, and a directory with one of everything. */
export const validSections: Readonly<Record<string, string>> = {
  apiVersion: 'apiVersion: sts-sidecar/v1',
  backend: `backend:
  endpoint: http://127.0.0.1:9001
  credentials: { accessKeyId: STOREKEY, secretAccessKey: { env: STORE_SECRET } }`,
  account: 'account: { id: "123456789012" }',
  tokens: `tokens:
  sealWith: k1
  keys: [ { id: k1, secret: { env: TOKEN_KEY } } ]`,
  directory: `directory:
  policies:
    ReadData: { Version: "2012-10-17", Statement: [ { Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::data/*" } ] }
  users:
    - name: alice
      accessKeys: [ { accessKeyId: AKIAALICE00000000000, secretAccessKey: { env: ALICE_SECRET } } ]
      policies: [ReadData]
  roles:
    - name: data-reader
      trustPolicy: { Version: "2012-10-17", Statement: { Effect: Allow, Principal: { AWS: "123456789012" }, Action: "sts:AssumeRole" } }
      policies: [ReadData]`,
};

const variables: Readonly<Record<string, string>> = {
  STORE_SECRET: 'store-secret-value',
  TOKEN_KEY: tokenKey,
  ALICE_SECRET: 'alice-secret-value',
};

/** A valid configuration with some sections replaced; `undefined` leaves one out. */
export function configuration(changes: Readonly<Record<string, string | undefined>> = {}): string {
  return Object.values({ ...validSections, ...changes })
    .filter((section) => section !== undefined)
    .join('\n');
}

/** Parses as `sidecar.yaml` in a world that holds the variables of {@link validSections}. */
export function parse(text: string, world: World = {}): LoadResult {
  const all = { ...variables, ...world.variables };
  const sources: ConfigurationSources = {
    overrides: world.overrides ?? {},
    vocabulary: policyVocabulary,
    maxOpenFiles: world.maxOpenFiles,
    ...(world.memory === undefined ? {} : { memory: world.memory }),
    environment: (name) => all[name],
    readText: (path, maxBytes) => {
      const content = world.files?.[path];
      if (content === undefined) return { ok: false, reason: 'cannot be read: ENOENT' };
      return content.length > maxBytes
        ? { ok: false, reason: `is larger than ${maxBytes} bytes` }
        : { ok: true, text: content };
    },
  };
  return parseConfiguration(text, 'sidecar.yaml', sources);
}

/** The loaded configuration; throws the problems when it is refused. */
export function load(text: string, world: World = {}): Extract<LoadResult, { ok: true }> {
  const result = parse(text, world);
  if (!result.ok) throw new Error(result.problems.join('\n'));
  return result;
}

/** The problems of a refused configuration; throws when it is accepted. */
export function problemsOf(text: string, world: World = {}): readonly string[] {
  const result = parse(text, world);
  if (result.ok) throw new Error('the configuration was accepted');
  return result.problems;
}
