/** A global context key. */
export interface GlobalKey {
  /** AWS's spelling; a name that ends in `/` stands for every key below it. */
  readonly key: string;
  /** The reason why no request has the key; `undefined` for a key that requests can have. */
  readonly never: string | undefined;
}

const present: readonly string[] = [
  'aws:CurrentTime',
  'aws:EpochTime',
  'aws:FederatedProvider',
  'aws:MultiFactorAuthAge',
  'aws:MultiFactorAuthPresent',
  'aws:PrincipalAccount',
  'aws:PrincipalArn',
  'aws:PrincipalIsAWSService',
  'aws:PrincipalTag/',
  'aws:PrincipalType',
  'aws:Referer',
  'aws:RequestTag/',
  'aws:RequestedRegion',
  'aws:ResourceAccount',
  'aws:ResourceTag/',
  'aws:SecureTransport',
  'aws:SourceIdentity',
  'aws:SourceIp',
  'aws:TagKeys',
  'aws:TokenIssueTime',
  'aws:UserAgent',
  'aws:ViaAWSService',
  'aws:userid',
  'aws:username',
];

const noOrganization = 'there are no organizations';
const noVpc = 'there are no VPC endpoints';
const noService = 'no AWS service makes requests';

const absent: readonly (readonly [key: string, reason: string])[] = [
  ['aws:AssumedRoot', 'root sessions of member accounts do not exist'],
  ['aws:CalledVia', noService],
  ['aws:CalledViaFirst', noService],
  ['aws:CalledViaLast', noService],
  ['aws:ChatbotSourceArn', noService],
  ['aws:Ec2InstanceSourcePrivateIPv4', 'there are no EC2 instances'],
  ['aws:Ec2InstanceSourceVpc', 'there are no EC2 instances'],
  ['aws:PrincipalOrgID', noOrganization],
  ['aws:PrincipalOrgPaths', noOrganization],
  ['aws:PrincipalServiceName', noService],
  ['aws:PrincipalServiceNamesList', noService],
  ['aws:ResourceOrgID', noOrganization],
  ['aws:ResourceOrgPaths', noOrganization],
  ['aws:SourceAccount', noService],
  ['aws:SourceArn', noService],
  ['aws:SourceOrgID', noService],
  ['aws:SourceOrgPaths', noService],
  ['aws:SourceVpc', noVpc],
  ['aws:SourceVpcArn', noVpc],
  ['aws:SourceVpce', noVpc],
  ['aws:VpcSourceIp', noVpc],
  ['aws:VpceAccount', noVpc],
  ['aws:VpceOrgID', noVpc],
  ['aws:VpceOrgPaths', noVpc],
];

/** Every `aws:` context key. Source: AWS "Global condition context keys", read 2026-11. */
export const globalKeyTable: readonly GlobalKey[] = [
  ...present.map((key) => ({ key, never: undefined })),
  ...absent.map(([key, never]) => ({ key, never })),
];
