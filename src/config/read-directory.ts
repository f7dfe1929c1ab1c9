import { join } from 'node:path';
import { withoutScheme } from '../core/issuer.ts';
import type { Steps } from '../core/steps.ts';
import { checkRecords, type DirectoryDraft } from '../directory/check-records.ts';
import {
  type BucketPolicyRecord,
  type DirectoryRecords,
  type EntityRecord,
  type NamedPolicyRecord,
  readPolicyRecord,
} from '../directory/records.ts';
import { maxConfigurationBytes } from '../schema/scalars.ts';
import { directoryOutline } from './directory-sections.ts';
import { checkFederatedTrust, checkIdentityProviders, type ProviderSurroundings } from './identity-checks.ts';
import type { Path } from './path.ts';
import { checkPolicies, type PolicyPlace } from './policy-checks/index.ts';
import { providerRole } from './provider-records.ts';
import { checkProviderRoles } from './provider-role-checks.ts';
import { scopeDownPolicyPath } from './read-container-credentials.ts';
import { readRole, readRootAccessKeys, readUser } from './read-entity.ts';
import { type ReadProvider, readIdentityProvider } from './read-identity-provider.ts';
import { Reading } from './reading.ts';
import { documentOf } from './sources.ts';
import { suggest } from './suggest.ts';

const mount: Path = ['directory'];

/** What this file reads; the account is a section of its own. */
export interface DirectorySection extends Omit<DirectoryRecords, 'account' | 'identityProviders'> {
  readonly identityProviders: readonly ReadProvider[];
}

/** Reads `directory`, or the file that `directoryFile` names, record by record, and checks its records together. */
export function* readDirectory(
  main: Reading,
  surroundings: ProviderSurroundings,
): Steps<DirectorySection | undefined> {
  const reading = chooseReading(main);
  if (reading === undefined) return undefined;
  reading.read(mount, directoryOutline);
  const policyNames = reading.keysAt([...mount, 'policies']);
  const bucketNames = reading.keysAt([...mount, 'bucketPolicies']);
  const draft: DirectoryDraft = {
    partition: surroundings.account?.partition,
    policyNames,
    policies: yield* readEach(policyNames, (name) => readManagedPolicy(reading, name)),
    rootAccessKeys: readRootAccessKeys(reading, [...mount, 'root']),
    users: yield* readAll(reading, 'users', readUser),
    roles: yield* readAll(reading, 'roles', readRole),
    bucketPolicies: yield* readEach(bucketNames, (bucket) => readBucketPolicy(reading, bucket)),
  };
  yield;
  for (const { path, message, unknownName } of checkRecords(draft)) {
    const suggestion = unknownName === undefined ? '' : suggest(unknownName.name, unknownName.known);
    reading.problem([...mount, ...path], message + suggestion);
  }
  const identityProviders = yield* readAll(reading, 'identityProviders', readIdentityProvider);
  checkIdentityProviders(reading, identityProviders, surroundings);
  checkProviderRoles(reading, identityProviders, draft);
  checkFederatedTrust(reading, draft.roles, identityProviders, surroundings);
  if (draft.bucketPolicies.length !== bucketNames.length) return undefined;
  const section = completeSection(draft, identityProviders);
  if (section !== undefined) warnOfPolicies({ main, reading }, section, surroundings);
  return section;
}

/** Compares every policy, also the one outside the directory, with the words that can have an effect here. */
function warnOfPolicies(
  { main, reading }: { readonly main: Reading; readonly reading: Reading },
  section: DirectorySection,
  { account }: ProviderSurroundings,
): void {
  const { vocabulary } = reading.context.sources;
  if (vocabulary === undefined || account === undefined) return;
  const { users, roles, providerRoles = [], identityProviders } = section;
  const issuers = identityProviders.flatMap(({ facts: { tokens } }) =>
    tokens === undefined ? [] : [withoutScheme(tokens.issuer)],
  );
  const surroundings = { vocabulary, account, users, roles, providerRoles, issuers };
  checkPolicies(reading, policyPlaces(section), surroundings);
  checkPolicies(main, [{ path: scopeDownPolicyPath, kind: 'session' }], surroundings);
}

function policyPlaces({ policies, users, roles, bucketPolicies }: DirectorySection): PolicyPlace[] {
  const inline = (list: 'users' | 'roles', entities: readonly EntityRecord[]): PolicyPlace[] =>
    entities.flatMap(({ inlinePolicies }, index) =>
      inlinePolicies.map(({ name }) => ({
        path: [...mount, list, index, 'inlinePolicies', name],
        kind: 'identity',
      })),
    );
  return [
    ...policies.map(({ name }): PolicyPlace => ({ path: [...mount, 'policies', name], kind: 'identity' })),
    ...inline('users', users),
    ...inline('roles', roles),
    ...roles.map(
      (_, index): PolicyPlace => ({ path: [...mount, 'roles', index, 'trustPolicy'], kind: 'trust' }),
    ),
    ...bucketPolicies.map(
      ({ bucket }): PolicyPlace => ({ path: [...mount, 'bucketPolicies', bucket], kind: 'resource' }),
    ),
  ];
}

/** The draft as records; `undefined` when something in it could not be read. */
function completeSection(
  { policyNames, policies, rootAccessKeys, users, roles, bucketPolicies }: DirectoryDraft,
  providers: readonly (ReadProvider | undefined)[],
): DirectorySection | undefined {
  const complete = {
    policies,
    bucketPolicies,
    rootAccessKeys,
    identityProviders: providers.filter((provider) => provider !== undefined),
    providerRoles: providers.flatMap((provider) => (provider && providerRole(provider)) ?? []),
    users: users.filter((user) => user !== undefined),
    roles: roles.flatMap((role) => {
      const trustPolicy = role?.trustPolicy;
      return role === undefined || trustPolicy === undefined ? [] : [{ ...role, trustPolicy }];
    }),
  };
  const isComplete =
    policies.length === policyNames.length &&
    complete.users.length === users.length &&
    complete.roles.length === roles.length &&
    complete.identityProviders.length === providers.length;
  return isComplete ? complete : undefined;
}

function readManagedPolicy(reading: Reading, name: string): NamedPolicyRecord | undefined {
  const path = [...mount, 'policies', name];
  const policy = reading.readPolicy(path, (source) => readPolicyRecord(source, 'identity'));
  return policy && { name, ...policy };
}

function readBucketPolicy(reading: Reading, bucket: string): BucketPolicyRecord | undefined {
  const path = [...mount, 'bucketPolicies', bucket];
  const policy = reading.readPolicy(path, (source) => readPolicyRecord(source, 'resource'));
  return policy && { bucket, ...policy };
}

/** Reads one after the other, and leaves out what cannot be read. */
function* readEach<T>(names: readonly string[], readOne: (name: string) => T | undefined): Steps<T[]> {
  const all: T[] = [];
  for (const name of names) {
    const one = readOne(name);
    if (one !== undefined) all.push(one);
    yield;
  }
  return all;
}

function* readAll<T>(
  reading: Reading,
  list: string,
  readOne: (reading: Reading, path: Path) => T | undefined,
): Steps<(T | undefined)[]> {
  const path = [...mount, list];
  const length = reading.lengthAt(path);
  const all: (T | undefined)[] = [];
  for (let index = 0; index < length; index += 1) {
    all.push(readOne(reading, [...path, index]));
    yield;
  }
  return all;
}

function chooseReading(main: Reading): Reading | undefined {
  const file = main.valueAt(['directoryFile']);
  const isInline = main.valueAt(mount) !== undefined;
  if (isInline && file !== undefined) {
    main.problemAtKey(['directoryFile'], 'cannot be combined with directory');
    return main;
  }
  if (isInline) return main;
  if (file === undefined) {
    main.problem([], 'directory or directoryFile is required');
    return undefined;
  }
  return typeof file === 'string' ? openDirectoryFile(main, file) : undefined;
}

function openDirectoryFile(main: Reading, path: string): Reading | undefined {
  const { context } = main;
  const { sources } = context;
  const file =
    sources.readDocument?.(path, maxConfigurationBytes) ??
    documentOf(sources.readText(path, maxConfigurationBytes));
  if (!file.ok) {
    main.problem(['directoryFile'], `the file ${JSON.stringify(path)} ${file.reason}`);
    return undefined;
  }
  const name = join(main.fileName, '..', path);
  const { document, faults } = file.yaml;
  for (const { position, message } of faults) {
    context.problems.add({ source: name, position, path: '' }, message);
  }
  if (document === undefined) return undefined;
  return new Reading({ name, document, value: document.value, mount, origins: new Map() }, context);
}
