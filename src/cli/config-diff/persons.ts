import { policyPrincipal } from '../../authorize/gather-policies.ts';
import { federatedUserName, sessionName } from '../../core/iam-names.ts';
import type { EntityRecord } from '../../directory/records.ts';
import type { Role } from '../../directory/role.ts';
import type { PolicyDocument } from '../../iam/document.ts';
import type { PolicyPrincipal } from '../../iam/query.ts';
import { describeProvider } from '../../identity/kinds.ts';
import { type Asker, findAsker } from '../policy/asker.ts';
import type { Asking } from '../policy/question.ts';
import type { World } from '../policy/world.ts';
import { allowingPolicy, type Side } from './side.ts';
import { changedStatements, type PlacedStatement, statementsOf } from './statements.ts';

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

/** What both configurations have to be looked at for. */
export interface NamedInBoth {
  /** ARNs of sessions: {@link namedSessions}. */
  readonly sessions: ReadonlySet<string>;
  /** Names of managed policies: {@link movedDenies}. */
  readonly denies: ReadonlySet<string>;
}

/** Everyone whom a configuration can give rights, by a name for people that is the same in the other configuration. */
export function personsOf(
  side: Side,
  { sessions, denies }: NamedInBoth,
  nowMs: number,
): ReadonlyMap<string, Person> {
  const { world, records } = side;
  const { root } = world.directory;
  const persons = new Map<string, Person>();
  const add = (label: string, asking: Partial<Asking>, own: OwnPolicies = noPolicies): void => {
    persons.set(label, { ...personOf(asking, world, nowMs), ...own });
  };
  const ofUsers = new Map(records.users.map((user) => [user.name, ownPolicies(side, user)]));
  const ofRoles = new Map(records.roles.map((role) => [role.name, ownPolicies(side, role)]));
  add('an anonymous caller', { principal: '*' });
  if (root !== undefined) add('root', { principal: root.arn });
  for (const { name, arn } of world.users) add(`user ${name}`, { principal: arn }, ofUsers.get(name));
  for (const { name, arn } of side.roles.values()) add(`role ${name}`, { principal: arn }, ofRoles.get(name));
  for (const arn of sessions) addSession(arn, side, { users: ofUsers, roles: ofRoles }, add);
  for (const role of world.roles) if (role.provider !== undefined) addGenerated(role, side, denies, add);
  for (const provider of world.settings.identityProviders) {
    const { form, principal, role } = describeProvider(provider);
    if (principal === undefined || role !== undefined) continue;
    const { name } = provider;
    if (form === 'saml') add(`a SAML assertion of ${name}`, { samlProvider: name });
    else add(`a web identity of ${name}`, { webIdentityProvider: name });
  }
  return persons;
}

type Add = (label: string, asking: Partial<Asking>, own?: OwnPolicies) => void;

/** The policies of users and roles by name. */
type Owners = Readonly<Record<'users' | 'roles', ReadonlyMap<string, OwnPolicies>>>;

/** A session of an existing role, or a federated user: every user and root can give one that name. */
function addSession(principal: string, side: Side, { users, roles }: Owners, add: Add): void {
  const { world, records } = side;
  const { partition, id } = records.account;
  const head = `arn:${partition}:sts::${id}:`;
  if (!principal.startsWith(head)) return;
  const [kind = '', name = '', session = ''] = principal.slice(head.length).split('/');
  if (kind === 'federated-user' && federatedUserName.test(name)) {
    const { root } = world.directory;
    if (root !== undefined) add(`federated user ${name} of root`, { principal, federatedBy: root.arn });
    for (const { name: user, arn } of world.users)
      add(`federated user ${name} of user ${user}`, { principal, federatedBy: arn }, users.get(user));
  } else if (side.roles.has(name) && sessionName.test(session)) {
    add(`session ${name}/${session}`, { principal }, roles.get(name));
  }
}

/**
 * The generated role of a provider. In claim mode, a token brings policies along: each is a caller of its own. What one of them denies is
 * denied whatever the others allow: where that changes, it is a caller once more, beside what allows everything.
 */
function addGenerated({ arn, provider }: Role, side: Side, denies: Iterable<string>, add: Add): void {
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
  for (const policy of denies) {
    const document = side.managed.get(policy);
    const policyNames = document === undefined ? [allowingPolicy] : [policy, allowingPolicy];
    const identity = document === undefined ? [] : onlyDenies(document);
    const who = `${label} whose token names ${policy} and policies that allow it`;
    add(who, { principal: arn, policyNames }, { identity, boundary: [] });
  }
}

function onlyDenies(document: PolicyDocument): readonly PolicyDocument[] {
  const statements = document.statements.filter(({ effect }) => effect === 'Deny');
  return statements.length === 0 ? [] : [{ ...document, statements }];
}

/** The managed policies that do not deny the same on both sides. */
export function movedDenies(before: Side, after: Side): ReadonlySet<string> {
  const deniesOf = ({ managed }: Side, name: string): readonly PlacedStatement[] =>
    statementsOf(managed.get(name)).filter(({ statement }) => statement.effect === 'Deny');
  const names = new Set([...before.managed.keys(), ...after.managed.keys()]);
  return new Set(
    [...names].filter((name) => changedStatements(deniesOf(before, name), deniesOf(after, name)).length > 0),
  );
}

function personOf(asking: Partial<Asking>, world: World, nowMs: number): Person {
  const asker = findAsker({ sessionPolicyArns: [], scopeDown: [], tags: [], ...asking }, world, nowMs);
  const { userId, entity } = asker.kind === 'caller' ? asker.caller : {};
  const tags = [...(entity?.tags ?? [])].sort();
  return {
    asker,
    principal: principalOf(asker, world),
    ...noPolicies,
    facts: JSON.stringify([asker.arn, userId, tags]),
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

/**
 * The ARNs of sessions that a bucket or trust policy of one of the sides names. Each is compared on all: a session may do what its role
 * may, also where no policy names it.
 */
export function namedSessions(...sides: readonly Side[]): ReadonlySet<string> {
  const documents = sides.flatMap(({ buckets, trust }) => [...buckets.values(), ...trust.values()]);
  const principals = documents.flatMap(({ statements }) =>
    statements.flatMap((one) => one.principals?.values ?? []),
  );
  return new Set(principals.flatMap((one) => (one.type === 'arn' ? [one.arn] : [])));
}
