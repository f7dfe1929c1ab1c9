import { assumedRoleArn, type Caller, type RoleSessionCaller } from '../../authenticate/caller.ts';
import { hasIssuer } from '../../config/settings.ts';
import { suggest } from '../../config/suggest.ts';
import { parseArn } from '../../core/arn.ts';
import { ServiceError } from '../../core/service-error.ts';
import type { Role } from '../../directory/role.ts';
import { providerArn } from '../../sts/federated-keys.ts';
import { checkSessionPolicies } from '../../sts/session-policies.ts';
import { type Asking, QuestionError } from './question.ts';
import type { World } from './world.ts';

/** Somebody whose request is simulated. */
export type Asker =
  | { readonly kind: 'caller'; readonly caller: Caller; readonly arn: string }
  | { readonly kind: 'anonymous'; readonly arn: '*' }
  | { readonly kind: 'web-identity'; readonly issuer: string; readonly arn: string };

/** The session name of a role that is asked about without one. */
export const simulatedSessionName = 'policy-simulate';

/**
 * Finds who asks in the directory, as the sidecar would after checking the signature.
 * @throws QuestionError for somebody who does not exist, or who cannot have a session.
 */
export function findAsker(asking: Asking, world: World, nowMs: number): Asker {
  const { principal, webIdentityProvider } = asking;
  if (webIdentityProvider !== undefined) {
    if (principal !== undefined) {
      throw new QuestionError(
        'webIdentityProvider',
        'must not stand beside a principal: the token is who asks',
      );
    }
    refuseSession(asking, 'a web identity');
    return findProvider(webIdentityProvider, world);
  }
  if (principal === undefined) throw new QuestionError('principal', 'is required');
  if (principal === '*') {
    refuseSession(asking, 'an anonymous caller');
    return { kind: 'anonymous', arn: '*' };
  }
  const user = world.directory.userByArn(principal);
  if (user !== undefined) {
    refuseSession(asking, 'a user with a long-term key');
    const { arn, userId } = user;
    return { kind: 'caller', caller: { kind: 'user', accessKeyId: '', entity: user, arn, userId }, arn };
  }
  const { role, sessionName } = findRole(principal, world);
  const caller = roleSession(role, sessionName, asking, { world, nowMs });
  return { kind: 'caller', caller, arn: caller.arn };
}

function refuseSession({ sessionPolicy, sessionPolicyArns, tags }: Asking, who: string): void {
  const message = `needs the session of a role: ${who} has none`;
  if (sessionPolicy !== undefined) throw new QuestionError('sessionPolicy', message);
  if (sessionPolicyArns.length > 0) throw new QuestionError('sessionPolicyArns', message);
  if (tags.length > 0) throw new QuestionError('tags', message);
}

function findProvider(text: string, { settings }: World): Asker {
  const { account } = settings;
  const issuers = settings.identityProviders.filter(hasIssuer);
  const found = issuers.find(({ name, issuer }) =>
    [name, issuer, providerArn(issuer, account)].includes(text),
  );
  if (found !== undefined) {
    return { kind: 'web-identity', issuer: found.issuer, arn: providerArn(found.issuer, account) };
  }
  const known = issuers.flatMap(({ name, issuer }) => [name, issuer]);
  throw new QuestionError(
    'webIdentityProvider',
    `no identity provider is ${shown(text)}${suggest(text, known)}`,
  );
}

const sessionNamePattern = /^[\w+=,.@-]{2,64}$/;

function findRole(principal: string, world: World): { role: Role; sessionName: string } {
  const arn = parseArn(principal);
  if (arn === undefined) {
    const hint = suggestPrincipal(principal, world);
    throw new QuestionError('principal', `${shown(principal)} is not an ARN${hint}`);
  }
  const { account } = world.settings;
  const session = /^assumed-role\/([^/]+)\/([^/]+)$/.exec(arn.resource);
  if (arn.service === 'sts' && session !== null) {
    const [, roleName = '', sessionName = ''] = session;
    const role = world.roles.find((candidate) => assumedRoleArn(candidate, sessionName) === principal);
    if (role === undefined) {
      const known = world.roles.map((candidate) => candidate.name);
      throw new QuestionError(
        'principal',
        `account ${account.id} has no role ${shown(roleName)}${suggest(roleName, known)}`,
      );
    }
    if (!sessionNamePattern.test(sessionName)) {
      throw new QuestionError('principal', `${shown(sessionName)} cannot be the name of a session`);
    }
    return { role, sessionName };
  }
  const role = world.directory.role(principal);
  if (role !== undefined) return { role, sessionName: simulatedSessionName };
  throw new QuestionError(
    'principal',
    `no user, role or role session is ${shown(principal)}${suggestPrincipal(principal, world)}`,
  );
}

// ARNs are long, so a whole other name would still count as near: only what differs is compared.
function suggestPrincipal(text: string, { users, roles }: World): string {
  const known = [...users, ...roles];
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

function roleSession(
  role: Role,
  sessionName: string,
  asking: Asking,
  { world, nowMs }: { readonly world: World; readonly nowMs: number },
): RoleSessionCaller {
  const { sessionPolicy, sessionPolicyArns, tags } = asking;
  checkSession(asking, world);
  const issuedAt = Math.floor(nowMs / 1000);
  return {
    kind: 'role-session',
    accessKeyId: '',
    entity: role,
    arn: assumedRoleArn(role, sessionName),
    userId: `${role.roleId}:${sessionName}`,
    claims: {
      sessionId: '',
      accessKeyId: '',
      seed: new Uint8Array(32),
      principal: { kind: 'role-session', roleArn: role.arn, roleId: role.roleId, sessionName },
      issuedAt,
      expiresAt: issuedAt + role.maxSessionDurationSeconds,
      policyArns: sessionPolicyArns,
      tags: tags.map(([key, value]) => ({ key, value, isTransitive: false })),
      ...(sessionPolicy === undefined ? {} : { policy: sessionPolicy }),
    },
  };
}

// The same checks, with the same words, that AssumeRole makes before it issues the session.
function checkSession({ sessionPolicy, sessionPolicyArns, tags }: Asking, { directory }: World): void {
  for (const arn of sessionPolicyArns)
    tryAs('sessionPolicyArns', () => checkSessionPolicies(undefined, [arn], directory));
  tryAs('sessionPolicy', () => checkSessionPolicies(sessionPolicy, sessionPolicyArns, directory));
  const keys = tags.map(([key]) => key.toLowerCase());
  const repeated = tags.find(([key], index) => keys.indexOf(key.toLowerCase()) < index);
  if (repeated !== undefined) throw new QuestionError('tags', `${shown(repeated[0])} is given twice`);
}

function tryAs(field: 'sessionPolicy' | 'sessionPolicyArns', check: () => unknown): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    throw new QuestionError(
      field,
      error.message.replace(/\.$/, '').replace(/^The session policy is malformed: /, ''),
    );
  }
}

function shown(text: string): string {
  return JSON.stringify(text.length > 256 ? `${text.slice(0, 256)}…` : text);
}
