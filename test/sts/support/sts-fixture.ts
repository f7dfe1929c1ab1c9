import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { PolicyGatherer } from '../../../src/authorize/gather-policies.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { systemRandomness } from '../../../src/core/randomness.ts';
import type { RawRequest } from '../../../src/core/raw-request.ts';
import { Secret } from '../../../src/core/secret.ts';
import { buildDirectory, type Directory } from '../../../src/directory/directory.ts';
import { type RoleRecord, readPolicyRecord, type UserRecord } from '../../../src/directory/records.ts';
import type { IdentityProviders } from '../../../src/identity/provider.ts';
import { RevocationIndex } from '../../../src/revocation/revocation-index.ts';
import { Revocations } from '../../../src/revocation/revocations.ts';
import { RunTimeRevocations } from '../../../src/revocation/run-time-revocations.ts';
import { SigningKeyCache } from '../../../src/sigv4/signing-key.ts';
import { MemoryState } from '../../../src/state/memory-state.ts';
import { ReplicatedRecords } from '../../../src/state/replicated-records.ts';
import { renderStsError, type StsErrorResponse } from '../../../src/sts/error-xml.ts';
import { handleSts, type StsDependencies, type StsFacts, type StsResponse } from '../../../src/sts/handle.ts';
import { createKeyRing, type KeyRing } from '../../../src/tokens/key-ring.ts';
import { SessionOpener } from '../../../src/tokens/open.ts';
import { testNowMs, toRawRequest } from '../../support/raw-requests.ts';
import type { TestCredentials } from '../../support/smithy-signer.ts';

export const accountId = '123456789012';
export const version = '2011-06-15';
export const roleArn = (name: string): string => `arn:aws:iam::${accountId}:role/${name}`;
export const userArn = (name: string): string => `arn:aws:iam::${accountId}:user/${name}`;
export const policyArn = (name: string): string => `arn:aws:iam::${accountId}:policy/${name}`;
export const sessionArn = (role: string, session: string): string =>
  `arn:aws:sts::${accountId}:assumed-role/${role}/${session}`;

/** A one-statement document. */
export function document(...statements: readonly object[]): object {
  return { Version: '2012-10-17', Statement: statements };
}

/** A trust policy that lets AWS principals in. */
export function trust(principal: string | readonly string[], condition: object = {}): object {
  return document({
    Effect: 'Allow',
    Principal: { AWS: principal },
    Action: 'sts:AssumeRole',
    Condition: condition,
  });
}

/** An identity policy about sts:AssumeRole. */
export function assumePolicy(resource: string, effect: 'Allow' | 'Deny' = 'Allow'): object {
  return document({ Effect: effect, Action: 'sts:AssumeRole', Resource: resource });
}

export interface UserSpec {
  readonly inline?: readonly object[];
  readonly boundary?: string;
  /** Names of managed policies. */
  readonly attached?: readonly string[];
  readonly tags?: Readonly<Record<string, string>>;
  /** Serial numbers with their secrets in base32. */
  readonly mfa?: Readonly<Record<string, string>>;
}

export interface RoleSpec extends UserSpec {
  readonly trust: object;
  readonly path?: string;
  readonly maxSessionDurationSeconds?: number;
  readonly roleId?: string;
}

export interface World {
  /** Whether root has a key, as {@link keyOf} `root`. */
  readonly hasRoot?: boolean;
  readonly users?: Readonly<Record<string, UserSpec>>;
  readonly roles?: Readonly<Record<string, RoleSpec>>;
  readonly policies?: Readonly<Record<string, object>>;
}

/** The long-term key of a user of the test directory. */
export function keyOf(user: string): TestCredentials {
  return {
    accessKeyId: `AKIA${user.toUpperCase().padEnd(16, 'X')}`,
    secretAccessKey: `secret-of-${user}`.padEnd(40, '/'),
  };
}

function recordOf(name: string): UserRecord['accessKeys'][number] {
  const { accessKeyId, secretAccessKey } = keyOf(name);
  return { accessKeyId, secretAccessKey: new Secret(secretAccessKey) };
}

function entity(name: string, { inline = [], boundary, attached = [], tags = {} }: UserSpec, path: string) {
  return {
    name,
    path,
    policies: [...attached],
    inlinePolicies: inline.map((source, index) => ({
      name: `inline-${index}`,
      ...readPolicyRecord(source, 'identity'),
    })),
    tags: new Map<string, string>(Object.entries(tags)),
    ...(boundary === undefined ? {} : { permissionsBoundary: boundary }),
  };
}

export function buildWorld({ users = {}, roles = {}, policies = {}, hasRoot = false }: World): Directory {
  return buildDirectory({
    account: { id: accountId, partition: 'aws' },
    bucketPolicies: [],
    rootAccessKeys: hasRoot ? [recordOf('root')] : [],
    policies: Object.entries(policies).map(([name, source]) => ({
      name,
      ...readPolicyRecord(source, 'identity'),
    })),
    users: Object.entries(users).map(([name, spec]): UserRecord => {
      return {
        ...entity(name, spec, '/'),
        mfaDevices: Object.entries(spec.mfa ?? {}).map(([serialNumber, secret]) => ({
          serialNumber,
          totpSecret: new Secret(secret),
        })),
        accessKeys: [recordOf(name)],
        userId: `AIDA${name.toUpperCase()}`,
      };
    }),
    roles: Object.entries(roles).map(
      ([name, spec]): RoleRecord => ({
        ...entity(name, spec, spec.path ?? '/'),
        trustPolicy: readPolicyRecord(spec.trust, 'trust'),
        maxSessionDurationSeconds: spec.maxSessionDurationSeconds ?? 3600,
        roleId: spec.roleId ?? `AROA${name.toUpperCase()}`,
      }),
    ),
  });
}

const ring = createKeyRing([{ id: 'k1', secret: new Secret(Buffer.alloc(32, 7).toString('base64')) }], 'k1');

const nothingAdded = new ReplicatedRecords(new MemoryState(), systemClock, 0, {
  refreshed: () => undefined,
  restored: () => undefined,
});
await nothingAdded.start();
const noRevocations = new Revocations(
  () => new RevocationIndex([]),
  new RunTimeRevocations(nothingAdded, systemClock, systemRandomness),
);

/** Identity providers that judge no proof of the other forms. */
export function providersWith(judges: Partial<IdentityProviders>): IdentityProviders {
  const none = (): Promise<never> => Promise.reject(new Error('no such identity providers here'));
  return { webIdentity: none, saml: none, customToken: none, ...judges };
}

/** The service over one directory. The key ring is the same for all, so sessions outlive a directory. */
export function dependenciesOf(
  directory: Directory,
  changes: Partial<StsDependencies> = {},
): StsDependencies {
  const keyRing: KeyRing = changes.keyRing ?? ring;
  return {
    clock: { now: () => testNowMs },
    authentication: {
      directory,
      sessions: new SessionOpener(keyRing),
      revocations: noRevocations,
      signingKeys: new SigningKeyCache(),
      allowedRegions: new Set(),
      disabledStsRegions: new Set(),
    },
    keyRing,
    policies: new PolicyGatherer(directory),
    randomness: systemRandomness,
    state: new MemoryState(),
    identityProviders: providersWith({}),
    account: { id: accountId, partition: 'aws', region: 'us-east-1' },
    ...changes,
  };
}

export interface Arrival {
  readonly raw: RawRequest;
  readonly body: Uint8Array;
}

export interface SendOptions {
  readonly method?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Replaces the encoded form. */
  readonly body?: string;
  readonly region?: string;
  readonly service?: string;
  readonly signedAtMs?: number;
  readonly arrivesAtMs?: number;
}

/** Encodes, and signs with the AWS SDK's own signer unless there are no credentials. */
export async function arrive(
  form: Readonly<Record<string, string>>,
  credentials: TestCredentials | undefined,
  options: SendOptions = {},
): Promise<Arrival> {
  const { method = 'POST', query = {}, headers = {}, region = 'us-east-1', service = 'sts' } = options;
  const { signedAtMs = testNowMs, arrivesAtMs = testNowMs } = options;
  const body = options.body ?? new URLSearchParams(form).toString();
  const unsigned = {
    method,
    protocol: 'http:',
    hostname: 'localhost',
    path: '/',
    query: { ...query },
    headers: {
      host: 'localhost',
      ...(method === 'POST' ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
      ...headers,
    },
    ...(body === '' ? {} : { body }),
  };
  const signed =
    credentials === undefined ? unsigned : await sign(unsigned, credentials, { region, service, signedAtMs });
  const target = new URLSearchParams(query).toString().replaceAll('+', '%20');
  const raw = toRawRequest(
    { method, target: target === '' ? '/' : `/?${target}`, headers: Object.entries(signed.headers) },
    arrivesAtMs,
  );
  if (raw === undefined) throw new Error('the edge would not read this request');
  return { raw, body: Buffer.from(body, 'utf8') };
}

type Unsigned = Parameters<SignatureV4['sign']>[0];

async function sign(
  request: Unsigned,
  credentials: TestCredentials,
  { region, service, signedAtMs }: { region: string; service: string; signedAtMs: number },
): Promise<{ headers: Record<string, string> }> {
  const signer = new SignatureV4({ service, region, credentials, sha256: Sha256, applyChecksum: false });
  return signer.sign(request, { signingDate: new Date(signedAtMs) });
}

/** What came back, with the facts that the edge would record. */
export interface Outcome {
  readonly response: StsResponse;
  /** Empty for a success. */
  readonly code: string;
  /** Without the sealed decision at its end. */
  readonly message: string;
  /** The sealed decision of a refusal; empty without one. */
  readonly sealed: string;
  readonly error?: StsErrorResponse;
  readonly facts: StsFacts;
}

/** Takes a request through the service and renders it the way the edge does. */
export async function serve({ raw, body }: Arrival, dependencies: StsDependencies): Promise<Outcome> {
  let facts: StsFacts = {};
  const trace = {
    add: (added: StsFacts): void => {
      facts = { ...facts, ...added };
    },
  };
  try {
    const response = await handleSts(raw, body, dependencies, trace);
    return { response, code: '', message: '', sealed: '', facts };
  } catch (fault) {
    const error = renderStsError(fault, raw);
    const message = /<Message>([^<]*)<\/Message>/.exec(error.body)?.[1] ?? '';
    const [said = '', sealed = ''] = message.split(' Encoded authorization failure message: ');
    return {
      response: error,
      code: error.errorCode,
      message: said.replaceAll('&quot;', '"'),
      sealed,
      error,
      facts,
    };
  }
}

/** The text of the first element of that name. */
export function elementText(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
}

/** The credentials in a successful answer. */
export function credentialsIn({ response: { body }, code, message }: Outcome): TestCredentials {
  const accessKeyId = elementText(body, 'AccessKeyId');
  const secretAccessKey = elementText(body, 'SecretAccessKey');
  const sessionToken = elementText(body, 'SessionToken');
  if (accessKeyId === undefined || secretAccessKey === undefined || sessionToken === undefined) {
    throw new Error(`no credentials in the answer: ${code} ${message}`);
  }
  return { accessKeyId, secretAccessKey, sessionToken };
}

export function assumeRoleForm(
  role: string,
  changes: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return {
    Action: 'AssumeRole',
    Version: version,
    RoleArn: role.startsWith('arn:') ? role : roleArn(role),
    RoleSessionName: 'tester',
    ...changes,
  };
}

export const identityForm: Readonly<Record<string, string>> = {
  Action: 'GetCallerIdentity',
  Version: version,
};
