import { account, roleArn } from './sidecar.ts';

/** One provider and the role it may assume, as YAML of `directory`. */
export interface WebIdentityDirectory {
  readonly issuer: string;
  /** The provider's YAML, issuer and name left out; an OpenID Connect client id `sts-sidecar` when absent. */
  readonly provider?: string;
  /** Condition of the role's trust, as YAML flow; audience and subject when absent. */
  readonly condition?: string;
}

/** The part of an issuer that stands in ARNs and condition keys. */
export const bareIssuer = (issuer: string): string => issuer.replace(/^https?:\/\//, '');

export const providerArn = (issuer: string): string =>
  `arn:aws:iam::${account}:oidc-provider/${bareIssuer(issuer)}`;

/**
 * A directory without users: the role `pod` is for subject-1 of the provider and may use the bucket `data`; `other`
 * trusts another provider, `everyone` trusts every caller except federated ones.
 */
export function webIdentityDirectory({
  issuer,
  provider = 'kind: oidc, clientIds: [sts-sidecar]',
  condition,
}: WebIdentityDirectory): string {
  const bare = bareIssuer(issuer);
  const usual = `{ StringEquals: { "${bare}:aud": sts-sidecar, "${bare}:sub": subject-1 } }`;
  const trust = (principal: string, further = ''): string =>
    `{ Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: ${principal}, Action: "sts:AssumeRoleWithWebIdentity"${further} }] }`;
  return `
directory:
  policies:
    DataBucket:
      Version: "2012-10-17"
      Statement: [{ Effect: Allow, Action: ["s3:CreateBucket", "s3:GetObject", "s3:PutObject"], Resource: ["arn:aws:s3:::data", "arn:aws:s3:::data/*"] }]
    OwnPrefix:
      Version: "2012-10-17"
      Statement: [{ Effect: Allow, Action: "s3:PutObject", Resource: "arn:aws:s3:::data/\${${bare}:sub}/*", Condition: { StringEquals: { "aws:FederatedProvider": "${providerArn(issuer)}" } } }]
  identityProviders: [{ name: test, issuer: "${issuer}", ${provider} }]
  roles:
    - name: pod
      policies: [DataBucket]
      trustPolicy: ${trust(`{ Federated: "${providerArn(issuer)}" }`, `, Condition: ${condition ?? usual}`)}
    - name: own-prefix
      policies: [OwnPrefix]
      maxSessionDurationSeconds: 7200
      trustPolicy: ${trust(`{ Federated: "${providerArn(issuer)}" }`)}
    - name: other
      trustPolicy: ${trust(`{ Federated: "arn:aws:iam::${account}:oidc-provider/other.example.com" }`)}
    - name: everyone
      trustPolicy: ${trust('"*"')}
    - name: by-role
      trustPolicy: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { AWS: "${roleArn('pod')}" }, Action: "sts:AssumeRole" }] }
`;
}
