import type { LoadResult } from '../../config/load.ts';
import type { DirectoryRecords } from '../../directory/records.ts';
import type { Role } from '../../directory/role.ts';
import { type PolicyDocument, parsePolicyDocument } from '../../iam/document.ts';
import { buildWorld, type World } from '../policy/world.ts';

/** A configuration without problems. */
export type Loaded = Extract<LoadResult, { ok: true }>;

/** One of the two configurations. */
export interface Side {
  readonly world: World;
  readonly records: DirectoryRecords;
  /** Managed policies by name. */
  readonly managed: ReadonlyMap<string, PolicyDocument>;
  /** Bucket policies by bucket. */
  readonly buckets: ReadonlyMap<string, PolicyDocument>;
  /** Trust policies of the roles of the directory by name. */
  readonly trust: ReadonlyMap<string, PolicyDocument>;
  /** Roles of the directory by name. */
  readonly roles: ReadonlyMap<string, Role>;
}

/**
 * Stands for the policies that a token names beside another one. Its name can be that of no policy.
 * The world has it; the records do not.
 */
export const allowingPolicy = 'allows everything';

const allowing: PolicyDocument = parsePolicyDocument(
  { Version: '2012-10-17', Statement: { Effect: 'Allow', Action: '*', Resource: '*' } },
  'identity',
);
const allowingRecord = { name: allowingPolicy, document: allowing, characters: allowing.characters };

/** Builds one side. Whether a refusal is only recorded does not count: what policies allow is compared. */
export function buildSide(loaded: Loaded): Side {
  const { directory: records, settings } = loaded;
  const authorization = { ...settings.authorization, enforcement: 'enforce' } as const;
  const roles = records.roles.map((role) => ({ ...role, enforcement: 'enforce' as const }));
  const world = buildWorld({
    ...loaded,
    settings: { ...settings, authorization },
    directory: { ...records, roles, policies: [...records.policies, allowingRecord] },
  });
  const own = world.roles.filter(({ provider }) => provider === undefined);
  return {
    world,
    records,
    managed: new Map(records.policies.map(({ name, document }) => [name, document])),
    buckets: new Map(records.bucketPolicies.map(({ bucket, document }) => [bucket, document])),
    trust: new Map(records.roles.map(({ name, trustPolicy }) => [name, trustPolicy.document])),
    roles: new Map(own.map((role) => [role.name, role])),
  };
}
