import { policyPrincipal } from '../../authorize/gather-policies.ts';
import { accountOf } from '../../core/arn.ts';
import { sessionName } from '../../core/iam-names.ts';
import type { EntityRecord } from '../../directory/records.ts';
import type { Role } from '../../directory/role.ts';
import type { PolicyDocument } from '../../iam/document.ts';
import type { PolicyPrincipal } from '../../iam/query.ts';
import { describeProvider } from '../../identity/kinds.ts';
import { type Asker, findAsker } from '../policy/asker.ts';
import type { Asking } from '../policy/question.ts';
import type { World } from '../policy/world.ts';
import type { Side } from './side.ts';

/** A caller as one of the configurations knows it. */
export interface Person extends OwnPolicies {
  readonly asker: Asker;
  readonly principal: PolicyPrincipal;
  /** What decisions depend on beside the policies. */
  readonly facts: string;
}

/** The policies that a caller brings along. */
interface OwnPolicies {
  readonly identity: readonly PolicyDocument[];
  readonly boundary: readonly PolicyDocument[];
}

const noPolicies: OwnPolicies = { identity: [], boundary: [] };

/** Everyone whom a configuration can give rights, by a name for people that is the same in the other configuration. */
export function personsOf(side: Side, nowMs: number): ReadonlyMap<string, Person> {
  const { world, records } = side;
  const persons = new Map<string, Person>();
  const add = (label: string, asking: Partial<Asking>, own: OwnPolicies = noPolicies): void => {
    persons.set(label, { ...personOf(asking, world, nowMs), ...own });
  };
  const ofUsers = new Map(records.users.map((user) => [user.name, ownPolicies(side, user)]));
  const ofRoles = new Map(records.roles.map((role) => [role.name, ownPolicies(side, role)]));
  add('an anonymous caller', { principal: '*' });
  if (world.directory.root !== undefined) add('root', { principal: world.directory.root.arn });
  for (const { name, arn } of world.users) add(`user ${name}`, { principal: arn }, ofUsers.get(name));
  for (const { name, arn } of side.roles.values()) add(`role ${name}`, { principal: arn }, ofRoles.get(name));
  for (const arn of namedSessions(side)) {
    const [, role = '', session = ''] = arn.split('/');
    add(`session ${role}/${session}`, { principal: arn }, ofRoles.get(role));
  }
  for (const role of world.roles) if (role.provider !== undefined) addGenerated(role, side, add);
  for (const provider of world.settings.identityProviders) {
    const { form, principal, role } = describeProvider(provider);
    if (principal === undefined || role !== undefined) continue;
    const { name } = provider;
    if (form === 'saml') add(`a SAML assertion of ${name}`, { samlProvider: name });
    else add(`a web identity of ${name}`, { webIdentityProvider: name });
  }
  return persons;
}

type Add = (label: string, asking: Partial<Asking>, own: OwnPolicies) => void;

/** The generated role of a provider. In claim mode, a token brings policies along: each is a caller of its own. */
function addGenerated({ arn, provider }: Role, side: Side, add: Add): void {
  const label = `a user of provider ${provider?.name}`;
  if (provider?.mode !== 'claim') {
    const record = side.records.providerRoles?.find((one) => one.provider === provider?.name);
    add(label, { principal: arn }, { identity: named(side, record?.policies ?? []), boundary: [] });
    return;
  }
  for (const [policy, document] of side.managed) {
    const asking = { principal: arn, policyNames: [policy] };
    add(`${label} whose token names ${policy}`, asking, { identity: [document], boundary: [] });
  }
}

function personOf(asking: Partial<Asking>, world: World, nowMs: number): Person {
  const asker = findAsker({ sessionPolicyArns: [], scopeDown: [], tags: [], ...asking }, world, nowMs);
  const tags = asker.kind === 'caller' ? [...asker.caller.entity.tags].sort() : [];
  return {
    asker,
    principal: principalOf(asker, world),
    ...noPolicies,
    facts: JSON.stringify([asker.arn, tags]),
  };
}

function principalOf(asker: Asker, { settings }: World): PolicyPrincipal {
  switch (asker.kind) {
    case 'caller':
      return policyPrincipal(asker.caller);
    case 'anonymous':
      return { kind: 'anonymous', accountId: '', arn: '' };
    case 'federated': {
      const { kind, providerArn } = asker.user;
      return { kind, accountId: settings.account.id, arn: '', federatedProvider: providerArn };
    }
  }
}

function ownPolicies(side: Side, record: EntityRecord): OwnPolicies {
  const { inlinePolicies, policies, permissionsBoundary } = record;
  return {
    identity: [...inlinePolicies.map(({ document }) => document), ...named(side, policies)],
    boundary: permissionsBoundary === undefined ? [] : named(side, [permissionsBoundary]),
  };
}

function named({ managed }: Side, names: readonly string[]): readonly PolicyDocument[] {
  return names.flatMap((name) => managed.get(name) ?? []);
}

/** Sessions of existing roles that a bucket or trust policy names. */
function namedSessions({ records, buckets, trust, roles }: Side): ReadonlySet<string> {
  const arns = new Set<string>();
  for (const { statements } of [...buckets.values(), ...trust.values()]) {
    for (const one of statements.flatMap(({ principals }) => principals?.values ?? [])) {
      if (one.type !== 'arn' || accountOf(one.arn) !== records.account.id) continue;
      const [, role = '', session = ''] = /:assumed-role\/([^/]+)\/([^/]+)$/.exec(one.arn) ?? [];
      if (roles.has(role) && sessionName.test(session)) arns.add(one.arn);
    }
  }
  return arns;
}
