import { assumedRoleArn, type Caller, federatedUserArn } from '../../authenticate/caller.ts';
import { identifySession } from '../../authenticate/identify-session.ts';
import { suggest } from '../../config/suggest.ts';
import { parseArn } from '../../core/arn.ts';
import { entityName, federatedUserName } from '../../core/iam-names.ts';
import { withoutScheme } from '../../core/issuer.ts';
import type { Role } from '../../directory/role.ts';
import type { Root } from '../../directory/root.ts';
import type { User } from '../../directory/user.ts';
import { describeProvider } from '../../identity/kinds.ts';
import type { SessionClaims, SessionPrincipal } from '../../tokens/session-claims.ts';
import { type Asking, QuestionError, type QuestionField } from './question.ts';
import { checkMfaAge, checkPolicyNames, checkSession, scopeDownOf } from './session-checks.ts';
import type { World } from './world.ts';

/** A caller with an access key, and the other parts that a question about it may have. */
export interface FoundCaller {
  readonly caller: Caller;
  readonly admits: readonly QuestionField[];
  /** For messages. */
  readonly who: string;
  /** Keys that every request of the caller has, with values that only the real session knows. */
  readonly untold: readonly string[];
}

const limits: readonly QuestionField[] = ['sessionPolicy', 'sessionPolicyArns', 'scopeDown'];

/** The session name when the question names a role without a session. */
export const simulatedSessionName = 'policy-simulate';

/**
 * Finds the caller that an ARN names. Sessions are built as their tokens would be, then identified like live ones.
 * @throws QuestionError for a principal that does not exist, and for a session that cannot exist.
 */
export function findCaller(principal: string, asking: Asking, world: World, nowMs: number): FoundCaller {
  const owner = findOwner(principal, world);
  if (owner !== undefined) return ownCaller(owner, asking, world, nowMs);
  const session = sessionName(principal, /^federated-user\/([^/]+)$/);
  if (session !== undefined) return federatedUser(principal, session, asking, { world, nowMs });
  return roleSession(findRole(principal, world), asking, world, nowMs);
}

function findOwner(arn: string, { directory }: World): User | Root | undefined {
  return directory.root?.arn === arn ? directory.root : directory.userByArn(arn);
}

function sessionName(principal: string, pattern: RegExp): string | undefined {
  const arn = parseArn(principal);
  return arn?.service === 'sts' ? pattern.exec(arn.resource)?.[1] : undefined;
}

function ownCaller(owner: User | Root, asking: Asking, world: World, nowMs: number): FoundCaller {
  const { arn, userId } = owner;
  if (asking.sessionToken === true) {
    const ageSeconds = checkMfaAge(asking.mfaAgeSeconds);
    const principal = { kind: 'user-session', userArn: arn, userId } as const;
    // The code comes with the request for the session, so it is as old as the session.
    const issuedAtMs = nowMs - (ageSeconds ?? 0) * 1000;
    const claims = { ...claimsOf(principal, issuedAtMs), ...scopeDownOf(asking) };
    const proved = ageSeconds === undefined ? claims : { ...claims, mfaAuthenticatedAt: claims.issuedAt };
    return {
      caller: identifySession(proved, world.directory),
      admits: ['sessionToken', 'mfaAgeSeconds', 'scopeDown'],
      who: 'a session of GetSessionToken',
      untold: [],
    };
  }
  const key = { accessKeyId: '', arn, userId };
  return owner.kind === 'root'
    ? { caller: { kind: 'root', entity: owner, ...key }, admits: [], who: 'root', untold: [] }
    : {
        caller: { kind: 'user', entity: owner, ...key },
        admits: [],
        who: 'a user with a long-term key',
        untold: [],
      };
}

function federatedUser(
  principal: string,
  name: string,
  asking: Asking,
  { world, nowMs }: { readonly world: World; readonly nowMs: number },
): FoundCaller {
  const { federatedBy } = asking;
  if (federatedBy === undefined) {
    throw new QuestionError('federatedBy', `is required: ${shown(principal)} may be of any user`);
  }
  const owner = findOwner(federatedBy, world);
  if (owner === undefined) {
    const hint = suggestPrincipal(federatedBy, world.users);
    throw new QuestionError('federatedBy', `${shown(federatedBy)} is neither a user nor root${hint}`);
  }
  if (principal !== federatedUserArn(owner, name)) {
    throw new QuestionError('principal', `${shown(principal)} is of another account`);
  }
  if (!federatedUserName.test(name)) {
    throw new QuestionError('principal', `${shown(name)} cannot be the name of a federated user`);
  }
  checkSession(asking, world);
  const session = { kind: 'federated-user', userArn: owner.arn, userId: owner.userId, name } as const;
  const claims = { ...claimsOf(session, nowMs), ...passedOn(asking), ...scopeDownOf(asking) };
  return {
    caller: identifySession(claims, world.directory),
    admits: ['federatedBy', ...limits, 'tags'],
    who: 'a federated user',
    untold: [],
  };
}

interface NamedSession {
  readonly role: Role;
  readonly name: string;
}

function roleSession({ role, name }: NamedSession, asking: Asking, world: World, nowMs: number): FoundCaller {
  checkSession(asking, world);
  const { arn: roleArn, roleId } = role;
  const principal = { kind: 'role-session', roleArn, roleId, sessionName: name } as const;
  const claims = { ...claimsOf(principal, nowMs), ...passedOn(asking), ...scopeDownOf(asking) };
  if (role.provider === undefined) {
    return {
      caller: identifySession(claims, world.directory),
      admits: [...limits, 'tags'],
      who: 'a session of a role',
      untold: [],
    };
  }
  const held = federationOf(role.provider.name, world);
  if (held === undefined) {
    return {
      caller: identifySession(claims, world.directory),
      admits: ['scopeDown'],
      who: 'a session of AssumeRoleWithCustomToken',
      untold: [],
    };
  }
  const { federation, untold } = held;
  const isClaimMode = role.provider.mode === 'claim';
  const named = isClaimMode ? { policyNames: checkPolicyNames(asking.policyNames, world) } : {};
  return {
    caller: identifySession({ ...claims, federation, ...named }, world.directory),
    admits: [...limits, ...(isClaimMode ? (['policyNames'] as const) : [])],
    who: 'a session of a provider’s own role',
    untold,
  };
}

/**
 * What sessions of a provider's own role carry of a token; `undefined` when they carry nothing. The subject of the token is not
 * known, and its audience only when the provider accepts a single one.
 */
function federationOf(
  provider: string,
  { settings: { account, identityProviders } }: World,
): (Pick<FoundCaller, 'untold'> & Required<Pick<SessionClaims, 'federation'>>) | undefined {
  const found = identityProviders.find(({ name }) => name === provider);
  // INVARIANT: generated roles are built from the same settings.
  if (found === undefined) throw new Error(`no identity provider is named ${provider}`);
  const { principal, tokens } = describeProvider(found);
  if (principal === undefined || tokens === undefined) return undefined;
  const prefix = withoutScheme(tokens.issuer);
  const [audience = ''] = tokens.audiences;
  return {
    federation: { provider: principal.arnIn(account), subject: '', audience },
    untold: [`${prefix}:sub`, ...(tokens.audiences.length === 1 ? [] : [`${prefix}:aud`])],
  };
}

function claimsOf<P extends SessionPrincipal>(principal: P, issuedAtMs: number): SessionClaims<P> {
  const issuedAt = Math.floor(issuedAtMs / 1000);
  return {
    sessionId: '',
    accessKeyId: '',
    seed: new Uint8Array(32),
    principal,
    issuedAt,
    expiresAt: issuedAt,
    policyArns: [],
    tags: [],
  };
}

function passedOn({
  sessionPolicy,
  sessionPolicyArns,
  tags,
}: Asking): Pick<SessionClaims, 'policy' | 'policyArns' | 'tags'> {
  return {
    policyArns: sessionPolicyArns,
    tags: tags.map(([key, value]) => ({ key, value, isTransitive: false })),
    ...(sessionPolicy === undefined ? {} : { policy: sessionPolicy }),
  };
}

function findRole(principal: string, world: World): NamedSession {
  const { users, roles, directory, settings } = world;
  const known = [...users, ...roles];
  if (parseArn(principal) === undefined) {
    const hint = suggestPrincipal(principal, known);
    throw new QuestionError('principal', `${shown(principal)} is not an ARN${hint}`);
  }
  const name = sessionName(principal, /^assumed-role\/[^/]+\/([^/]+)$/);
  if (name !== undefined) {
    const role = roles.find((candidate) => assumedRoleArn(candidate, name) === principal);
    if (role === undefined) {
      const roleName = principal.split('/')[1] ?? '';
      const hint = suggest(
        roleName,
        roles.map((candidate) => candidate.name),
      );
      throw new QuestionError(
        'principal',
        `account ${settings.account.id} has no role ${shown(roleName)}${hint}`,
      );
    }
    // A session named after its subject may have a shorter name than RoleSessionName allows.
    const shortest = role.provider === undefined ? 2 : 1;
    if (!entityName.test(name) || name.length < shortest) {
      throw new QuestionError('principal', `${shown(name)} cannot be the name of a session`);
    }
    return { role, name };
  }
  const role = directory.role(principal);
  if (role !== undefined) return { role, name: simulatedSessionName };
  if (principal === `arn:${settings.account.partition}:iam::${settings.account.id}:root`) {
    throw new QuestionError('principal', 'root has no access key, so no request can come from it');
  }
  throw new QuestionError(
    'principal',
    `${shown(principal)} is not a user, role or role session${suggestPrincipal(principal, known)}`,
  );
}

// ARNs are long, so one with an entirely different name would still count as near. Only the parts that differ are compared.
function suggestPrincipal(text: string, known: readonly (User | Role)[]): string {
  const name = text.slice(text.lastIndexOf('/') + 1);
  const exact = known.find((one) => one.name === name);
  if (exact !== undefined) return ` (did you mean ${JSON.stringify(exact.arn)}?)`;
  const hint = suggest(
    name,
    known.map((one) => one.name),
  );
  const nearest = known.find((one) => hint.includes(JSON.stringify(one.name)));
  return nearest === undefined ? '' : ` (did you mean ${JSON.stringify(nearest.arn)}?)`;
}

function shown(text: string): string {
  return JSON.stringify(text.length > 256 ? `${text.slice(0, 256)}…` : text);
}
