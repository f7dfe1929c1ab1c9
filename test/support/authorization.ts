import type { Authenticated } from '../../src/authenticate/authenticate.ts';
import { type Caller, federatedUserArn } from '../../src/authenticate/caller.ts';
import { PolicyGatherer } from '../../src/authorize/gather-policies.ts';
import type { AuthorizationSources } from '../../src/authorize/permission-decider.ts';
import type { StoreTag } from '../../src/authorize/store-lookup.ts';
import { Secret } from '../../src/core/secret.ts';
import { buildDirectory, type Directory } from '../../src/directory/directory.ts';
import { type DirectoryRecords, readPolicyRecord } from '../../src/directory/records.ts';
import { withDocument } from '../../src/s3/document.ts';
import { lookupKeysOf } from '../../src/s3/lookup-keys.ts';
import type { S3Request } from '../../src/s3/operation.ts';
import { route } from '../../src/s3/route.ts';
import { testNowMs, toRawRequest, type WireRequest } from './raw-requests.ts';

/** Decisions without a server: a directory of one user and one role, and requests whose signature counts as verified. */

const account = '123456789012';

/** The policies of one caller, raw JSON. */
export interface OwnPolicies {
  readonly identity: readonly unknown[];
  readonly boundary?: unknown;
  /** Of sessions only. */
  readonly session?: unknown;
  /** By bucket. */
  readonly bucketPolicies?: Readonly<Record<string, unknown>>;
  readonly tags?: Readonly<Record<string, string>>;
}

export type CallerKind = 'user' | 'root' | 'role-session' | 'federated-user';

/** A directory in which `alice` and the role `worker` have these policies. */
export function directoryOf(policies: OwnPolicies): Directory {
  return buildDirectory(recordsOf(policies));
}

/** The records of {@link directoryOf}. */
export function recordsOf(policies: OwnPolicies): DirectoryRecords {
  const { identity, boundary, bucketPolicies = {}, tags = {} } = policies;
  const trust = { Statement: { Effect: 'Allow', Principal: { AWS: account }, Action: 'sts:AssumeRole' } };
  const entity = {
    path: '/',
    policies: [],
    inlinePolicies: [],
    ...(boundary === undefined ? {} : { permissionsBoundary: 'Boundary' }),
    tags: new Map(Object.entries(tags)),
  };
  const managed = identity.map((document, index) => ({
    name: `P${index}`,
    ...readPolicyRecord(document, 'identity'),
  }));
  const bounding =
    boundary === undefined ? [] : [{ name: 'Boundary', ...readPolicyRecord(boundary, 'boundary') }];
  const attached = managed.map(({ name }) => name);
  const key = (accessKeyId: string) => ({ accessKeyId, secretAccessKey: new Secret('secret') });
  return {
    account: { id: account, partition: 'aws' },
    rootAccessKeys: [key('AKIAROOT000000000000')],
    policies: [...managed, ...bounding],
    users: [{ ...entity, name: 'alice', policies: attached, accessKeys: [key('AKIAALICE00000000000')] }],
    roles: [
      {
        ...entity,
        name: 'worker',
        policies: attached,
        trustPolicy: readPolicyRecord(trust, 'trust'),
        maxSessionDurationSeconds: 3600,
      },
    ],
    bucketPolicies: Object.entries(bucketPolicies).map(([bucket, document]) => ({
      bucket,
      ...readPolicyRecord(document, 'resource'),
    })),
  };
}

/** The caller of a kind in such a directory. */
export function callerOf(
  kind: CallerKind,
  directory: Directory,
  session?: unknown,
  scopeDown?: readonly unknown[],
): Caller {
  const root = directory.root;
  const user = directory.userByArn(`arn:aws:iam::${account}:user/alice`);
  const role = directory.role(`arn:aws:iam::${account}:role/worker`);
  if (root === undefined || user === undefined || role === undefined) throw new Error('no such caller');
  const accessKeyId = 'AKIAALICE00000000000';
  const issuedAt = Math.floor(testNowMs / 1000) - 60;
  const claims = {
    sessionId: 's',
    accessKeyId: 'ASIA',
    seed: new Uint8Array(32),
    issuedAt,
    expiresAt: issuedAt + 3600,
    policyArns: [],
    tags: [],
    ...(session === undefined ? {} : { policy: JSON.stringify(session) }),
    ...(scopeDown === undefined ? {} : { scopeDown: scopeDown.map((one) => JSON.stringify(one)) }),
  };
  switch (kind) {
    case 'user':
      return { kind, accessKeyId, entity: user, arn: user.arn, userId: user.userId };
    case 'root':
      return { kind, accessKeyId, entity: root, arn: root.arn, userId: root.userId };
    case 'federated-user': {
      const principal = { kind, userArn: user.arn, userId: user.userId, name: 'fred' } as const;
      const arn = federatedUserArn(user, 'fred');
      return {
        kind,
        accessKeyId,
        entity: user,
        arn,
        userId: `${account}:fred`,
        claims: { ...claims, principal },
      };
    }
    case 'role-session': {
      const principal = { kind, roleArn: role.arn, roleId: role.roleId, sessionName: 'me' } as const;
      const arn = `arn:aws:sts::${account}:assumed-role/worker/me`;
      return {
        kind,
        accessKeyId,
        entity: role,
        arn,
        userId: `${role.roleId}:me`,
        claims: { ...claims, principal },
      };
    }
  }
}

/** What decisions are made with; `tags` is what the store answers for every object and bucket. */
export function sourcesOf(
  directory: Directory,
  changes: Partial<AuthorizationSources> = {},
  tags: readonly StoreTag[] = [],
): AuthorizationSources {
  return {
    policies: new PolicyGatherer(directory),
    lookup: { tags: async () => tags },
    lookupKeysOf,
    enforcement: 'enforce',
    listBuckets: 'strict',
    ...changes,
  };
}

/** An S3 request of a caller, as it comes to be decided; `body` is a document's. */
export function received(
  wire: WireRequest,
  caller: Caller,
  body?: string,
): { readonly request: S3Request; readonly authenticated: Authenticated } {
  const raw = toRawRequest(wire);
  if (raw === undefined) throw new Error('unreadable request');
  const routed = route(raw, { virtualHosts: [], accountId: account, partition: 'aws', supports: new Set() });
  const request = body === undefined ? routed : withDocument(routed, Buffer.from(body), 'aws');
  const verified = {
    raw,
    caller,
    payload: { kind: 'unsigned' },
    payloadHash: 'UNSIGNED-PAYLOAD',
    form: 'header',
    region: 'us-east-1',
    signedAtMs: testNowMs,
  };
  // Only a verified signature makes one; everything that decisions need is here.
  return { request, authenticated: verified as unknown as Authenticated };
}

/** A multi-delete of keys, with an entry's version where one is given. */
export function deleteOf(entries: readonly { readonly key: string; readonly versionId?: string }[]): string {
  const objects = entries.map(({ key, versionId }) => {
    const version = versionId === undefined ? '' : `<VersionId>${versionId}</VersionId>`;
    return `<Object><Key>${escaped(key)}</Key>${version}</Object>`;
  });
  return `<Delete>${objects.join('')}</Delete>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
