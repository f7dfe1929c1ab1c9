import { adoptionFault, adoptSettings } from '../../app/fixed-settings.ts';
import { fingerprintOf as fingerprint } from '../../core/fingerprint.ts';
import { providerRoleArn } from '../../directory/provider-role.ts';
import type { EntityRecord, RoleRecord, UserRecord } from '../../directory/records.ts';
import type { RevocationRecord } from '../../revocation/revocation-record.ts';
import type { Loaded } from './side.ts';
import { documentSignature } from './statements.ts';

/** A difference that is no decision: one sentence for people, and what it is about. */
export interface RecordChange {
  readonly about: 'principal' | 'provider' | 'policy' | 'session' | 'setting' | 'restart';
  readonly text: string;
}

/** Everything of both configurations that decides about rights, sessions or a reload, and is not the same. */
export function compareRecords(before: Loaded, after: Loaded): readonly RecordChange[] {
  return [
    ...entities('user', before.directory.users, after.directory.users, factsOfUser),
    ...entities('role', before.directory.roles, after.directory.roles, factsOfRole),
    ...rootKeys(before, after),
    ...generatedRoles(before, after),
    ...providers(before, after),
    ...managedPolicies(before, after),
    ...bucketPolicies(before, after),
    ...enforcement(before, after),
    ...sessions(before, after),
    ...settings(before, after),
  ];
}

/** Of providers too, which have functions beside what these are made from. */
function fingerprintOf(value: unknown): string {
  return fingerprint(value, 'derived');
}

/** The names of each side alone, and those of both with their values. */
function paired<T>(
  before: readonly T[],
  after: readonly T[],
  nameOf: (one: T) => string,
): { name: string; old: T | undefined; next: T | undefined }[] {
  const olds = new Map(before.map((one) => [nameOf(one), one]));
  const nexts = new Map(after.map((one) => [nameOf(one), one]));
  return [...new Set([...olds.keys(), ...nexts.keys()])].map((name) => ({
    name,
    old: olds.get(name),
    next: nexts.get(name),
  }));
}

type Facts = readonly (readonly [what: string, value: unknown])[];

function entities<T extends UserRecord | RoleRecord>(
  kind: 'user' | 'role',
  before: readonly T[],
  after: readonly T[],
  factsOf: (one: T) => Facts,
): RecordChange[] {
  return paired(before, after, ({ name }) => name).flatMap(({ name, old, next }): RecordChange[] => {
    if (old === undefined) return [{ about: 'principal', text: `${kind} ${name} is new` }];
    if (next === undefined)
      return [{ about: 'principal', text: `${kind} ${name} is gone, with its sessions` }];
    const later = new Map(factsOf(next));
    return factsOf(old)
      .filter(([what, value]) => fingerprintOf(value) !== fingerprintOf(later.get(what)))
      .map(([what]) => ({ about: 'principal', text: `${kind} ${name} has another ${what}` }));
  });
}

/** What users and roles have in common. */
function factsOfEntity({ policies, inlinePolicies }: EntityRecord): Facts {
  return [
    ['set of managed policies', [...policies].sort()],
    ['set of inline policies', inlinePolicies.map(({ document }) => documentSignature(document)).sort()],
  ];
}

function factsOfUser(user: UserRecord): Facts {
  const { path, userId, tags, permissionsBoundary, accessKeys, mfaDevices } = user;
  return [
    ...factsOfEntity(user),
    ['path, and so another ARN', path],
    ['userId: its sessions end', userId ?? null],
    ['set of tags', [...tags].sort()],
    ['permissions boundary', permissionsBoundary ?? null],
    ['set of access keys', accessKeys.map((key) => fingerprintOf(key)).sort()],
    ['set of MFA devices', (mfaDevices ?? []).map((device) => fingerprintOf(device)).sort()],
  ];
}

function factsOfRole(role: RoleRecord): Facts {
  const { path, roleId, tags, permissionsBoundary, maxSessionDurationSeconds } = role;
  return [
    ...factsOfEntity(role),
    ['trust policy', documentSignature(role.trustPolicy.document)],
    ['path, and so another ARN', path],
    ['roleId: its sessions end', roleId ?? null],
    ['set of tags', [...tags].sort()],
    ['permissions boundary', permissionsBoundary ?? null],
    ['maxSessionDurationSeconds', maxSessionDurationSeconds],
  ];
}

function rootKeys(before: Loaded, after: Loaded): RecordChange[] {
  const [old, next] = [before, after].map(({ directory }) => directory.rootAccessKeys);
  if (fingerprintOf(old) === fingerprintOf(next)) return [];
  if (old?.length === 0)
    return [
      { about: 'principal', text: 'root is new: it may do everything that no bucket policy denies it' },
    ];
  const text = next?.length === 0 ? 'root is gone, with its sessions' : 'root has another set of access keys';
  return [{ about: 'principal', text }];
}

function generatedRoles(before: Loaded, after: Loaded): RecordChange[] {
  const [old = [], next = []] = [before, after].map(({ directory }) => directory.providerRoles);
  return paired(old, next, ({ provider }) => provider).flatMap(
    ({ name, old: was, next: is }): RecordChange[] => {
      if (was === undefined) return [{ about: 'provider', text: `the role of provider ${name} is new` }];
      if (is === undefined) return [{ about: 'provider', text: `the role of provider ${name} is gone` }];
      const isSame = was.uniqueName === is.uniqueName && providerRoleArn(was) === providerRoleArn(is);
      const text = `the role of provider ${name} has another ARN or id: its sessions end`;
      return isSame ? [] : [{ about: 'provider', text }];
    },
  );
}

function providers(before: Loaded, after: Loaded): RecordChange[] {
  const [old = [], next = []] = [before, after].map(
    ({ settings: { identityProviders } }) => identityProviders,
  );
  return paired(old, next, ({ name }) => name).flatMap(({ name, old: was, next: is }): RecordChange[] => {
    const what =
      was === undefined
        ? 'is new'
        : is === undefined
          ? 'is gone: it vouches for no one any more'
          : 'has other settings';
    const isSame = was !== undefined && is !== undefined && fingerprintOf(was) === fingerprintOf(is);
    return isSame ? [] : [{ about: 'provider', text: `identity provider ${name} ${what}` }];
  });
}

/** Of policies: sessions can have them as session policies, whoever they are attached to. */
function managedPolicies(before: Loaded, after: Loaded): RecordChange[] {
  const { policies: old } = before.directory;
  const hasClaims = after.directory.providerRoles?.some(({ mode }) => mode === 'claim') === true;
  const ofTokens = hasClaims ? ', and those whose token names it go on without it' : '';
  return paired(old, after.directory.policies, ({ name }) => name).flatMap(
    ({ name, old: was, next: is }): RecordChange[] => {
      if (was === undefined) return [{ about: 'policy', text: `managed policy ${name} is new` }];
      if (is === undefined) {
        const text = `managed policy ${name} is gone: sessions with it as their session policy are refused everything${ofTokens}`;
        return [{ about: 'policy', text }];
      }
      const isSame = documentSignature(was.document) === documentSignature(is.document);
      return isSame ? [] : [{ about: 'policy', text: `managed policy ${name} has changed` }];
    },
  );
}

function bucketPolicies(before: Loaded, after: Loaded): RecordChange[] {
  const { bucketPolicies: old } = before.directory;
  const pairs = paired(old, after.directory.bucketPolicies, ({ bucket }) => bucket);
  return pairs.flatMap(({ name, old: was, next: is }): RecordChange[] => {
    if (was === undefined) return [{ about: 'policy', text: `bucket ${name} has a policy now` }];
    if (is === undefined) return [{ about: 'policy', text: `bucket ${name} has no policy any more` }];
    const isSame = documentSignature(was.document) === documentSignature(is.document);
    return isSame ? [] : [{ about: 'policy', text: `the policy of bucket ${name} has changed` }];
  });
}

const audited = 'what no policy allows is performed and only recorded';

function enforcement(before: Loaded, after: Loaded): RecordChange[] {
  const ofRoles = ({ directory, settings: { authorization } }: Loaded): Map<string, string> =>
    new Map(directory.roles.map((role) => [role.name, role.enforcement ?? authorization.enforcement]));
  const [old, next] = [before, after].map(({ settings: { authorization } }) => authorization.enforcement);
  const global =
    old === next
      ? []
      : [
          `authorization.enforcement is ${next}, and was ${old}: ${next === 'audit' ? audited : 'what no policy allows is refused'}`,
        ];
  const was = ofRoles(before);
  const roles = [...ofRoles(after)].flatMap(([name, now]) => {
    const then = was.get(name);
    if (then === now || (then === undefined && now === 'enforce')) return [];
    const effect = now === 'audit' ? audited : 'what no policy allows is refused';
    return [`role ${name} has enforcement ${now}${then === undefined ? '' : `, and had ${then}`}: ${effect}`];
  });
  return [...global, ...roles].map((text) => ({ about: 'principal', text }));
}

function sessions(before: Loaded, after: Loaded): RecordChange[] {
  const { tokens: old, revocations: revoked } = before.settings;
  const { tokens: next, revocations: revoking } = after.settings;
  const keys = paired(old.keys, next.keys, ({ id }) => id).flatMap(({ name, old: was, next: is }) => {
    if (was === undefined) return [`token key ${name} is new`];
    if (is === undefined) return [`token key ${name} is gone: the sessions that it sealed end`];
    const isSame = fingerprintOf(was) === fingerprintOf(is);
    return isSame ? [] : [`token key ${name} has another secret: the sessions that it sealed end`];
  });
  const seals =
    old.sealWith === next.sealWith ? [] : [`token key ${next.sealWith} seals, and not ${old.sealWith}`];
  const revocations = paired(revoked, revoking, describeRevocation).flatMap(
    ({ name, old: was, next: is }) => {
      if (was === undefined) return [`revoked: ${name}`];
      return is === undefined ? [`no longer revoked: ${name}`] : [];
    },
  );
  return [...keys, ...seals, ...revocations].map((text) => ({ about: 'session', text }));
}

function describeRevocation({ selector, issuedBeforeMs }: RevocationRecord): string {
  const who = selector === undefined ? 'every session' : `sessions of ${selector.kind} ${selector.value}`;
  const when = issuedBeforeMs === undefined ? '' : ` issued before ${new Date(issuedBeforeMs).toISOString()}`;
  return `${who}${when}`;
}

/** Sections that other comparisons describe in words. */
const described: ReadonlySet<string> = new Set(['identityProviders', 'tokens', 'revocations']);

function settings({ settings: old }: Loaded, { settings: next }: Loaded): RecordChange[] {
  const fault = adoptionFault(old, next);
  if (fault !== undefined) return [{ about: 'restart', text: `a reload refuses this file: ${fault}` }];
  const { settings: adopted, needRestart } = adoptSettings(old, next);
  const were = new Map(Object.entries(old).map(([name, value]) => [name, fingerprintOf(value)]));
  const reloaded = Object.entries(adopted)
    .filter(([name, value]) => !described.has(name) && were.get(name) !== fingerprintOf(value))
    .map(([name]) => ({ about: 'setting', text: `a reload changes settings of ${name}` }) as const);
  return [
    ...reloaded,
    ...needRestart.map((name) => ({ about: 'restart', text: `${name} needs a restart` }) as const),
  ];
}
