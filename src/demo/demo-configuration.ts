/** Names of the demo, as they stand in its configuration and its printed commands. */
export const demoNames = {
  account: '123456789012',
  bucket: 'demo',
  roleArn: 'arn:aws:iam::123456789012:role/demo-role',
  userAccessKeyId: 'AKIADEMODEMODEMODEMO',
} as const;

/** The secrets of one run of the demo. */
export interface DemoSecrets {
  readonly userSecret: string;
  readonly storeSecret: string;
  /** 32 bytes, base64. */
  readonly tokenKey: string;
}

/** Access key id of the demo store's own key; only the sidecar holds it. */
export const demoStoreAccessKeyId = 'DEMOSTOREKEY';

/** The demo's configuration file: one user who may assume one role, which may use one bucket but for one prefix. */
export function demoConfiguration(storeUrl: string, port: number, secrets: DemoSecrets): string {
  return `apiVersion: sts-sidecar/v1
server:
  listen: 127.0.0.1:${port}
admin:
  listen: 127.0.0.1:0
backend:
  endpoint: ${storeUrl}
  region: us-east-1
  credentials: { accessKeyId: ${demoStoreAccessKeyId}, secretAccessKey: ${JSON.stringify(secrets.storeSecret)} }
account: { id: "${demoNames.account}" }
tokens:
  sealWith: demo
  keys:
    - { id: demo, secret: ${JSON.stringify(secrets.tokenKey)} }
log: { level: warn, requests: false }
directory:
  policies:
    UseDemoBucket:
      Version: "2012-10-17"
      Statement:
        - { Sid: List, Effect: Allow, Action: ["s3:ListBucket", "s3:CreateBucket"], Resource: "arn:aws:s3:::${demoNames.bucket}" }
        - { Sid: Objects, Effect: Allow, Action: ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], Resource: "arn:aws:s3:::${demoNames.bucket}/*" }
        - { Sid: NotPrivate, Effect: Deny, Action: "s3:*", Resource: "arn:aws:s3:::${demoNames.bucket}/private/*" }
  users:
    - name: demo-user
      accessKeys:
        - { accessKeyId: ${demoNames.userAccessKeyId}, secretAccessKey: ${JSON.stringify(secrets.userSecret)} }
      inlinePolicies:
        AssumeDemoRole:
          Version: "2012-10-17"
          Statement: [{ Effect: Allow, Action: "sts:AssumeRole", Resource: "${demoNames.roleArn}" }]
  roles:
    - name: demo-role
      policies: [UseDemoBucket]
      trustPolicy:
        Version: "2012-10-17"
        Statement: [{ Effect: Allow, Principal: { AWS: "arn:aws:iam::${demoNames.account}:root" }, Action: "sts:AssumeRole" }]
`;
}
