import { suggest } from '../../config/suggest.ts';
import type { S3Operation } from '../../s3/operation.ts';
import { operations } from '../../s3/operations/index.ts';
import { getScopedCredentials } from '../../sts/grants/scope-grant.ts';
import {
  assumeRole,
  assumeRoleWithSaml,
  assumeRoleWithWebIdentity,
  setSourceIdentity,
  tagSession,
} from '../../sts/grants/trust-question.ts';
import { QuestionError } from './question.ts';

/** An action that policies decide, in AWS's spelling. */
export type KnownAction =
  | {
      readonly service: 's3';
      readonly action: string;
      /** The operation that needs it; it says which keys every such request has. */
      readonly operation: S3Operation;
    }
  | { readonly service: 'sts'; readonly action: StsActionName };

/** An action of the token service that policies decide. */
export type StsActionName =
  | typeof assumeRole
  | typeof assumeRoleWithWebIdentity
  | typeof assumeRoleWithSaml
  | typeof tagSession
  | typeof setSourceIdentity
  | 'sts:GetFederationToken'
  | 'sts:GetAccessKeyInfo'
  | 'sts:DecodeAuthorizationMessage'
  | typeof getScopedCredentials;

const stsActionNames: readonly StsActionName[] = [
  assumeRole,
  assumeRoleWithWebIdentity,
  assumeRoleWithSaml,
  tagSession,
  setSourceIdentity,
  'sts:GetFederationToken',
  'sts:GetAccessKeyInfo',
  'sts:DecodeAuthorizationMessage',
  getScopedCredentials,
];

/** Actions that only a response needs: what a read shows besides the bytes. */
const guardingActions: readonly string[] = [
  's3:GetObjectVersionTagging',
  's3:GetObjectRetention',
  's3:GetObjectLegalHold',
];

let s3Actions: ReadonlyMap<string, KnownAction> | undefined;

const stsActions: ReadonlyMap<string, KnownAction> = new Map(
  stsActionNames.map((action) => [action.toLowerCase(), { service: 'sts', action }]),
);

// The operation of the same name represents the action, else the one with the most parameters: a listing, not HeadBucket.
function listS3Actions(): Map<string, KnownAction> {
  const found = new Map<string, KnownAction>();
  const ranks = new Map<string, number>();
  const add = (action: string | undefined, operation: S3Operation): void => {
    if (action === undefined) return;
    const name = action.toLowerCase();
    const rank = action === `s3:${operation.name}` ? Number.POSITIVE_INFINITY : operation.parameters.length;
    if (rank <= (ranks.get(name) ?? -1)) return;
    ranks.set(name, rank);
    found.set(name, { service: 's3', action, operation });
  };
  for (const operation of operations) {
    add(operation.action, operation);
    add(operation.versionAction, operation);
  }
  const known = new Set(found.keys());
  const addFurther = (action: string, operation: S3Operation): void => {
    if (!known.has(action.toLowerCase())) add(action, operation);
  };
  const reading = operations.find(({ name }) => name === 'GetObject');
  if (reading !== undefined) for (const action of guardingActions) addFurther(action, reading);
  for (const operation of operations) {
    for (const action of furtherActions(operation)) addFurther(action, operation);
  }
  return found;
}

/** Every action that a header requires in addition to the operation's own. */
function furtherActions({ headers, conditionalActions }: S3Operation): readonly string[] {
  const names = [...headers, 'if-match'];
  const everyHeader = new Map(names.map((name) => [name, 'any']));
  return [true, false].flatMap((isVersioned) => conditionalActions?.(everyHeader, isVersioned) ?? []);
}

/** Every action that this version decides by policies. */
export function everyAction(): readonly KnownAction[] {
  s3Actions ??= listS3Actions();
  return [...s3Actions.values(), ...stsActions.values()];
}

/**
 * Finds an action that this version decides by policies; upper and lower case are the same.
 * @throws QuestionError for any other: a misspelt action would seem to be denied.
 */
export function findAction(text: string): KnownAction {
  const shown = JSON.stringify(text.slice(0, 128));
  const colon = text.indexOf(':');
  if (colon < 0) throw new QuestionError('action', `${shown} is not an action: expected service:name`);
  if (text.includes('*') || text.includes('?')) {
    throw new QuestionError('action', `${shown} must be one action, without wildcards`);
  }
  const service = text.slice(0, colon).toLowerCase();
  if (service !== 's3' && service !== 'sts') {
    const hint = suggest(service, ['s3', 'sts']);
    throw new QuestionError(
      'action',
      `${shown} is of a service that policies here do not decide: s3 or sts${hint}`,
    );
  }
  s3Actions ??= listS3Actions();
  const known = service === 's3' ? s3Actions : stsActions;
  const found = known.get(text.toLowerCase());
  if (found !== undefined) return found;
  const hint = suggest(
    text,
    [...known.values()].map(({ action }) => action),
  );
  if (service === 's3') throw new QuestionError('action', `no operation asks for ${shown}${hint}`);
  throw new QuestionError(
    'action',
    `${shown} is not decided by policies, unlike ${stsActionNames.join(', ')}${hint}`,
  );
}
