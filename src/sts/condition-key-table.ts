/** The `sts:` context keys that requests have. Source: AWS Service Authorization Reference, AWS STS, read 2026-11. */
export const stsKeys: readonly string[] = [
  'sts:DurationSeconds',
  'sts:ExternalId',
  'sts:RoleSessionName',
  'sts:SourceIdentity',
  'sts:TransitiveTagKeys',
];

const noContexts = 'trusted contexts are refused';

/** The other `sts:` context keys of AWS, with the reason why no request has them here. */
export const absentStsKeys: ReadonlyMap<string, string> = new Map([
  ['sts:AWSServiceName', 'there are no bearer tokens of AWS services'],
  ['sts:RequestContext/', noContexts],
  ['sts:RequestContextProviders', noContexts],
  ['sts:TaskPolicyArn', 'root sessions of member accounts do not exist'],
]);

/** The context keys about the role, which trust decisions support. */
export const roleKeys: readonly string[] = ['iam:ResourceTag/'];
