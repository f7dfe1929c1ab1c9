import { splitArnSegments } from '../../core/arn.ts';
import { compileGlob, parseGlob, unlimitedSteps } from '../../core/glob.ts';
import { quoteText } from '../path.ts';
import type { ActionScope } from '../policy-vocabulary.ts';
import { missingEntity } from './entities.ts';
import type { CheckedPolicy, PolicyCheck } from './policy-check.ts';
import type { PolicyText } from './statement-parts.ts';

/** Finds ARNs that no resource here can have. */
export const checkResources: PolicyCheck = ({ resources, actions }, policy) => {
  // Roles that a store is given (iam:PassRole) are of another account, or of none.
  const isOfSts = actions.every(({ text }) => /^sts:/i.test(text));
  for (const { path, text } of resources) {
    const fault = faultOf(text, policy, isOfSts);
    if (fault !== undefined) policy.warn(path, fault);
  }
};

function faultOf(text: string, policy: CheckedPolicy, isOfSts: boolean): string | undefined {
  const segments = splitArnSegments(text);
  const service = segments[2] ?? '';
  if (service === 's3') return faultOfS3(text, segments, policy);
  if (service === 'iam' || service === 'sts') {
    return isOfSts ? faultOfIam(text, segments, policy) : undefined;
  }
  // Segments are matched with their case.
  return service.toLowerCase() === 's3'
    ? `${quoteText(text)} names no resource: the service is spelt "s3"`
    : undefined;
}

/** Buckets and objects have neither region nor account, so their names come after three colons. */
function faultOfS3(text: string, segments: readonly string[], policy: CheckedPolicy): string | undefined {
  const { partition } = policy.surroundings.account;
  const [, partitionPattern = '*', , region = '*', account = '*', tail = '*'] = segments;
  const prefix = `arn:${partition}:s3:::`;
  const start = `${quoteText(text)} names no bucket and no object`;
  if (!isMatch(partitionPattern, partition))
    return `${start}: the partition of the account is "${partition}"`;
  const isHeadless = isMatch(region, '') && isMatch(account, '');
  if (isHeadless && !/^[:/]/.test(tail)) return undefined;
  const name = segments
    .slice(3)
    .join(':')
    .replace(/^[:/]+/, '');
  const hint = /^\d{12}$/.test(account) ? '' : suggestArn(prefix, name);
  return `${start}: their ARNs begin with "${prefix}" and the name of the bucket${hint}`;
}

function suggestArn(prefix: string, name: string): string {
  return name === '' ? '' : ` (did you mean ${quoteText(prefix + name)}?)`;
}

function faultOfIam(text: string, segments: readonly string[], policy: CheckedPolicy): string | undefined {
  const { account } = policy.surroundings;
  const [, partition = '*', , region = '*', accountPattern = '*', tail] = segments;
  // Roles of MinIO-style providers have ARNs of their own form.
  if (partition === 'minio') return undefined;
  const start = `${quoteText(text)} names nothing of this account`;
  if (!isMatch(partition, account.partition)) return `${start}: its partition is "${account.partition}"`;
  if (!isMatch(region, '')) return `${start}: ARNs of ${segments[2]} have no region`;
  if (!isMatch(accountPattern, account.id)) return `${start}: its id is "${account.id}"`;
  if (tail === undefined || /[*?]|\$\{/.test(text)) return undefined;
  return missingEntity(text, policy.surroundings);
}

/**
 * Finds bucket actions in statements that name objects only, and object actions in those that name buckets only: no
 * request needs `s3:ListBucket` on `arn:aws:s3:::reports/*`.
 */
export const checkActionResources: PolicyCheck = (statement, policy) => {
  const { actions, resources, isNotAction, isNotResource } = statement;
  if (isNotAction || isNotResource || resources.length === 0) return;
  for (const { path, text } of actions) {
    const scopes = policy.actions.get(text)?.scopes;
    if (scopes === undefined) continue;
    if (resources.some((resource) => mayBeOf(resource, scopes))) continue;
    policy.warn(path, `${quoteText(text)} applies to ${plural(scopes)}, and this statement names none`);
  }
};

function plural(scopes: ReadonlySet<ActionScope>): string {
  const words: Readonly<Record<ActionScope, string>> = {
    service: 'all buckets ("*")',
    bucket: 'buckets',
    object: 'objects',
  };
  return [...scopes].map((scope) => words[scope]).join(' and ');
}

/** Whether a pattern can match a resource of one of the scopes; true in doubt. */
function mayBeOf({ text }: PolicyText, scopes: ReadonlySet<ActionScope>): boolean {
  const segments = splitArnSegments(text);
  const tail = segments[5];
  if (tail === undefined || /[*?$]/.test(segments.slice(0, 5).join())) return true;
  // Another check reports what is wrong with the rest.
  if (segments[2] !== 's3' || segments[3] !== '' || segments[4] !== '') return segments[2] === 's3';
  return [...scopes].some((scope) => shapes[scope](tail));
}

/** Whether the part of an ARN after its five colons can be the name of a resource of a scope. */
const shapes: Readonly<Record<ActionScope, (tail: string) => boolean>> = {
  service: (tail) => tail.includes('${') || isMatch(tail, '*'),
  bucket: (tail) => !tail.includes('/'),
  object: (tail) => /[/*?]|\$\{/.test(tail),
};

function isMatch(pattern: string, text: string): boolean {
  return compileGlob(parseGlob(pattern))(text, unlimitedSteps);
}
