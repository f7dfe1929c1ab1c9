import { type MaybePromise, whenReady } from '../core/maybe-promise.ts';
import { aliasesOfSource, type KeyAlias, pathsOfKey } from '../core/path-key.ts';
import type { ConditionKey, Permission } from '../s3/operation.ts';
import type { DecidedPermission } from './decided-permission.ts';

/** A permission with the context keys of its request. */
export interface PermissionQuestion {
  readonly permission: Permission;
  readonly requestKeys: readonly ConditionKey[];
  /** True when only a Deny whose Resource names it counts. */
  readonly isDenyOnly?: boolean | undefined;
}

/** Other values that a store might read a context key as. The names are in lower case, because simulations accept any case. */
const otherValues: ReadonlyMap<string, (value: string) => readonly string[]> = new Map([
  ['s3:prefix', pathsOfKey],
  ['s3:x-amz-copy-source', namesOfSource],
  ['s3:versionid', spellingsOfVersion],
]);

/**
 * The same question for every other name that a store might resolve to the same object: it may treat keys as paths, or accept
 * several spellings of a key or an id. A request must be allowed under all of them.
 */
export function asPaths(
  permission: Permission,
  requestKeys: readonly ConditionKey[],
): readonly PermissionQuestion[] {
  const { object, resource, conditionKeys = none } = permission;
  const names = object === undefined ? none : namesOf(object.key, object.aliases);
  const contexts = otherContexts(requestKeys);
  const ownContexts = otherContexts(conditionKeys);
  if (names.length === 0 && contexts.length === 0 && ownContexts.length === 0) return none;
  const named: Omit<PermissionQuestion, 'requestKeys'>[] = [{ permission }];
  for (const { key, isDenyOnly } of names) {
    if (object === undefined) continue;
    const other = resource.slice(0, resource.length - object.key.length) + key;
    const { bucket, versionId } = object;
    // Where both names are one object, its tags are looked up under the name that was sent.
    const found = isDenyOnly === true ? object : { bucket, key, versionId };
    named.push({ permission: { ...permission, resource: other, object: found }, isDenyOnly });
  }
  const asked = [...named];
  for (const keys of ownContexts) {
    for (const one of named) asked.push({ ...one, permission: { ...one.permission, conditionKeys: keys } });
  }
  return [requestKeys, ...contexts]
    .flatMap((keys) => asked.map((one): PermissionQuestion => ({ ...one, requestKeys: keys })))
    .slice(1);
}

const none: readonly never[] = [];

function namesOf(key: string, aliases: readonly KeyAlias[] = none): readonly KeyAlias[] {
  const paths = pathsOfKey(key);
  if (paths.length === 0 && aliases.length === 0) return none;
  const names = new Map<string, KeyAlias>();
  for (const path of paths) names.set(path, { key: path });
  for (const alias of aliases) {
    for (const name of [alias.key, ...pathsOfKey(alias.key)]) {
      if (name !== key && !names.has(name)) names.set(name, { ...alias, key: name });
    }
  }
  return [...names.values()];
}

function namesOfSource(source: string): readonly string[] {
  return namesOf(source, aliasesOfSource(source)).map(({ key }) => key);
}

const uuidWithoutDashes = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/i;

// MinIO reads a UUID without dashes as the same version. It cannot be refused: version ids of SeaweedFS look like that.
function spellingsOfVersion(id: string): readonly string[] {
  const [, ...groups] = uuidWithoutDashes.exec(id) ?? none;
  return groups.length === 0 ? none : [groups.join('-').toLowerCase()];
}

function otherContexts(requestKeys: readonly ConditionKey[]): readonly (readonly ConditionKey[])[] {
  let contexts: (readonly ConditionKey[])[] | undefined;
  for (const entry of requestKeys) {
    const others = otherValues.get(entry[0].toLowerCase())?.(entry[1][0] ?? '') ?? none;
    for (const value of others) {
      contexts ??= [];
      contexts.push(requestKeys.map((one) => (one === entry ? [entry[0], [value]] : one)));
    }
  }
  return contexts ?? none;
}

/**
 * Decides a question and, once that is permitted, every other one in turn. The first refusal counts.
 * @param others the questions about other names
 */
export function decideEveryName(
  question: PermissionQuestion,
  others: () => readonly PermissionQuestion[],
  decideOne: (question: PermissionQuestion) => MaybePromise<DecidedPermission>,
): MaybePromise<DecidedPermission> {
  return whenReady(decideOne(question), (first) => {
    if (!first.isPermitted) return first;
    const further = others();
    return further.length === 0 ? first : decideFurther(first, further, decideOne);
  });
}

async function decideFurther(
  first: DecidedPermission,
  others: readonly PermissionQuestion[],
  decideOne: (question: PermissionQuestion) => MaybePromise<DecidedPermission>,
): Promise<DecidedPermission> {
  let decided = first;
  for (const other of others) {
    if (!decided.isPermitted) return decided;
    decided = firstRefusal(decided, await decideOne(other), other.isDenyOnly);
  }
  return decided;
}

/** The decision that counts of two: an enforced deny, else a deny that audit mode relaxes, else an allow. */
function firstRefusal(
  first: DecidedPermission,
  second: DecidedPermission,
  isDenyOnly = false,
): DecidedPermission {
  const { isExplicitDeny, fault } = second.decision;
  if (isDenyOnly && !isExplicitDeny && fault === undefined) return first;
  return !second.isPermitted || first.decision.effect === 'allow' ? second : first;
}
