import type { Caller } from '../../authenticate/caller.ts';
import { policyPrincipal } from '../../authorize/gather-policies.ts';
import { globalKeys } from '../../authorize/global-keys.ts';
import { suggest } from '../../config/suggest.ts';
import { federatedUserName } from '../../core/iam-names.ts';
import type { Role } from '../../directory/role.ts';
import { RequestContext } from '../../iam/request-context.ts';
import { federatedUserKeys } from '../../sts/grants/owner-grant.ts';
import { getScopedCredentials, scopeKeys } from '../../sts/grants/scope-grant.ts';
import {
  assumeRole,
  assumeRoleWithSaml,
  assumeRoleWithWebIdentity,
  callerQuestion,
  defaultDurationSeconds,
  federatedActions,
  federatedQuestion,
  fullRoleArn,
  type RequestedSession,
  setSourceIdentity,
  type TrustCase,
  type TrustQuestion,
  tagSession,
  trustCase,
  trustQuery,
} from '../../sts/grants/trust-question.ts';
import { untoldOf } from './asker.ts';
import { overlaidEntries, type Simulated, trustRequestKeys, untoldKeys } from './circumstances.ts';
import { simulatedSessionName } from './find-caller.ts';
import type { StsActionName } from './known-actions.ts';
import { type Circumstances, QuestionError } from './question.ts';
import type { World } from './world.ts';

/**
 * The query that the token service would evaluate, with the policies that decide it.
 * @throws QuestionError for an action that the asker cannot ask for, and a resource that does not fit.
 */
export function stsCase(action: StsActionName, resource: string, simulated: Simulated): TrustCase {
  const isOfUser = action === tagSession && resource.includes(':federated-user/');
  const owners = isOfUser ? ownedActions['sts:GetFederationToken'] : ownedActions[action];
  return owners === undefined
    ? roleCase(action, resource, simulated)
    : ownCase(action, resource, owners, simulated);
}

/** For actions that only the caller's own policies decide: the possible callers and resources. */
interface OwnedAction {
  readonly callers: readonly Caller['kind'][];
  /** The callers, for messages. */
  readonly who: string;
  readonly resource: 'federated-user' | 'any';
}

const withLongTermKey = 'a user with a long-term key';

const information: OwnedAction = {
  callers: ['user', 'root', 'role-session'],
  who: `${withLongTermKey}, by root or by a session of a role`,
  resource: 'any',
};

const ownedActions: Readonly<Partial<Record<StsActionName, OwnedAction>>> = {
  'sts:GetFederationToken': {
    callers: ['user', 'root'],
    who: `${withLongTermKey} or by root`,
    resource: 'federated-user',
  },
  'sts:GetAccessKeyInfo': information,
  'sts:DecodeAuthorizationMessage': information,
  [getScopedCredentials]: {
    callers: ['user-session', 'root-session', 'federated-user', 'role-session'],
    who: 'a session with temporary credentials',
    resource: 'any',
  },
};

function ownCase(
  action: StsActionName,
  resource: string,
  { callers, who, resource: kind }: OwnedAction,
  { asker, world, circumstances, raw }: Simulated,
): TrustCase {
  if (asker.kind !== 'caller' || !callers.includes(asker.caller.kind)) {
    throw new QuestionError('action', `${action} is asked by ${who}`);
  }
  const { account } = world.settings;
  const prefix = `arn:${account.partition}:sts::${account.id}:federated-user/`;
  const fits =
    kind === 'any'
      ? resource === '*'
      : resource.startsWith(prefix) && federatedUserName.test(resource.slice(prefix.length));
  if (!fits) {
    const expected = kind === 'any' ? '*' : `${prefix}name`;
    throw new QuestionError('resource', `${shown(resource)} does not fit ${action}: expected ${expected}`);
  }
  const { tags = [] } = requestedSession(circumstances);
  const own = globalKeys(raw, asker.caller, account.region);
  const further =
    kind === 'federated-user'
      ? federatedUserKeys(tags, account.id)
      : action === getScopedCredentials
        ? scopeKeys(defaultDurationSeconds, account.id)
        : [];
  const entries = [...own, ...further];
  const untold = untoldOf(asker);
  const context = new RequestContext(
    overlaidEntries(entries, circumstances, untold),
    untoldKeys([...trustRequestKeys, ...untold], circumstances),
  );
  return {
    sets: world.policies.gather(asker.caller),
    query: { principal: policyPrincipal(asker.caller), action, resource, context },
  };
}

/** Evaluates the trust policy exactly as when the role is assumed. */
function roleCase(action: StsActionName, resource: string, simulated: Simulated): TrustCase {
  const { world, asker, circumstances } = simulated;
  const role = findRole(resource, world);
  const question = { ...askedOfRole(action, simulated), action };
  const untold = untoldOf(asker);
  const entries = overlaidEntries(question.entries, circumstances, untold);
  const lazyKeys = untoldKeys([...trustRequestKeys, ...untold], circumstances);
  const own = asker.kind === 'caller' ? world.policies.gather(asker.caller) : { identity: [] };
  return trustCase(own, trustQuery({ ...question, entries }, role.arn, lazyKeys), role);
}

function askedOfRole(action: StsActionName, { asker, world, circumstances, raw }: Simulated): TrustQuestion {
  const { account } = world.settings;
  const session = requestedSession(circumstances);
  const isOf = (name: StsActionName): boolean => [name, tagSession, setSourceIdentity].includes(action);
  if (asker.kind === 'federated' && isOf(federatedActions[asker.user.kind])) {
    return federatedQuestion(session, asker.user, raw, account);
  }
  if (asker.kind === 'caller' && isOf(assumeRole) && mayAssume(asker.caller)) {
    const { caller } = asker;
    const further = {
      hasMfaCode: hasMfaCode(circumstances, caller),
      sourceIdentity: inherited(circumstances),
    };
    return callerQuestion({ ...session, ...further }, { raw, caller, region: account.region }, account.id);
  }
  throw new QuestionError('action', `${action} is asked by ${askers[action]}`);
}

function mayAssume({ kind }: Caller): boolean {
  return kind === 'user' || kind === 'user-session' || kind === 'role-session';
}

const assumingCaller = 'a user or a session of a role';

const askers: Readonly<Partial<Record<StsActionName, string>>> = {
  [assumeRole]: `${assumingCaller}, not by root, a federated user, a web identity or anonymously`,
  [assumeRoleWithWebIdentity]: 'a web identity: name its provider instead of a principal',
  [assumeRoleWithSaml]: 'the holder of a SAML assertion: name its provider instead of a principal',
  [tagSession]: `the caller who assumes the role: ${assumingCaller}, a web identity or the holder of a SAML assertion`,
  [setSourceIdentity]: `the caller who assumes the role: ${assumingCaller}, a web identity or the holder of a SAML assertion`,
};

/** The requested session, as far as the circumstances describe it, so that context keys are consistent with each other. */
function requestedSession(circumstances: Circumstances): RequestedSession {
  const prefix = 'aws:requesttag/';
  const tags = circumstances.context.flatMap(([name, value]) => {
    if (!name.toLowerCase().startsWith(prefix)) return [];
    const key = name.slice(prefix.length);
    // The context says which of them are transitive.
    return [{ key, value: String(value), isTransitive: false }];
  });
  return {
    sessionName: simulatedSessionName,
    durationSeconds: defaultDurationSeconds,
    tags,
  };
}

/** True when the request carries an MFA code, which only a device of a user makes. */
function hasMfaCode(circumstances: Circumstances, { entity }: Caller): boolean {
  if (textOf(circumstances, 'aws:multifactorauthpresent')?.toLowerCase() !== 'true') return false;
  if (entity.kind === 'user' && entity.mfaDevices.length > 0) return true;
  throw new QuestionError(
    'context',
    'aws:MultiFactorAuthPresent needs a one-time code, which only a user with mfaDevices has',
  );
}

/** The source identity of the calling session. The new session must have the same. */
function inherited(circumstances: Circumstances): string | undefined {
  const own = textOf(circumstances, 'aws:sourceidentity');
  const next = textOf(circumstances, 'sts:sourceidentity');
  if (own === undefined || next === undefined || own === next) return own;
  throw new QuestionError(
    'context',
    'sts:SourceIdentity must be aws:SourceIdentity: no session can change it',
  );
}

function valuesOf({ context }: Circumstances, lowerCaseKey: string): readonly string[] {
  const [, value = []] = context.find(([key]) => key.toLowerCase() === lowerCaseKey) ?? [];
  return typeof value === 'string' ? [value] : value;
}

function textOf(circumstances: Circumstances, lowerCaseKey: string): string | undefined {
  return valuesOf(circumstances, lowerCaseKey)[0];
}

function findRole(resource: string, { settings, directory, roles }: World): Role {
  const roleArn = fullRoleArn(resource, settings.account.id);
  if (roleArn === undefined) {
    throw new QuestionError(
      'resource',
      `${shown(resource)} is not the ARN of a role: expected arn:${settings.account.partition}:iam::${settings.account.id}:role/name`,
    );
  }
  const role = directory.role(roleArn);
  if (role !== undefined) return role;
  const hint = suggest(
    resource.slice(resource.lastIndexOf('/') + 1),
    roles.flatMap(({ name, provider }) => (provider === undefined ? [name] : [])),
  );
  throw new QuestionError('resource', `there is no role ${shown(resource)}${hint}`);
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 256));
}
