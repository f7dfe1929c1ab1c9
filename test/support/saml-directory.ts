import { account, roleArn } from './sidecar.ts';

/** The ARN of a SAML provider of the test account. */
export const samlProviderArn = (name: string): string => `arn:aws:iam::${account}:saml-provider/${name}`;

/** What an assertion offers a role with. */
export const samlRole = (role: string, provider = 'company'): string =>
  `${roleArn(role)},${samlProviderArn(provider)}`;

/**
 * A directory with the SAML providers `company` and `other`, whose metadata are the files `company.xml` and `other.xml`,
 * and roles that trust them in different ways. The role `analyst` may use the bucket `data` below its own subject and
 * its team; `further` is more YAML of the provider `company`.
 */
export function samlDirectory(further = ''): string {
  const trust = (principal: string, action: string, condition = '{}'): string =>
    `{ Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: ${principal}, Action: ${action}, Condition: ${condition} }] }`;
  const company = `{ Federated: "${samlProviderArn('company')}" }`;
  const everything = '["sts:AssumeRoleWithSAML", "sts:TagSession", "sts:SetSourceIdentity"]';
  const plain = '"sts:AssumeRoleWithSAML"';
  const audience = '{ StringEquals: { "saml:aud": "https://signin.aws.amazon.com/saml" } }';
  const role = (name: string, trustPolicy: string): string => `
    - { name: ${name}, policies: [Data], trustPolicy: ${trustPolicy} }`;
  return `
directory:
  policies:
    Data:
      Version: "2012-10-17"
      Statement:
        - { Effect: Allow, Action: ["s3:CreateBucket"], Resource: "arn:aws:s3:::data" }
        - { Effect: Allow, Action: ["s3:PutObject"], Resource: ["arn:aws:s3:::data/\${saml:sub}/*", "arn:aws:s3:::data/\${saml:namequalifier}/*"], Condition: { StringEquals: { "saml:sub_type": persistent, "aws:FederatedProvider": "${samlProviderArn('company')}" } } }
        - { Effect: Allow, Action: ["s3:PutObject"], Resource: "arn:aws:s3:::data/team/\${aws:PrincipalTag/team}/*" }
        - { Effect: Allow, Action: ["s3:PutObject"], Resource: "arn:aws:s3:::data/source/\${aws:SourceIdentity}/*" }
        - { Effect: Allow, Action: ["s3:PutObject"], Resource: "arn:aws:s3:::data/audience/*", Condition: { "Null": { "saml:aud": "false" } } }
        - { Effect: Allow, Action: ["sts:AssumeRole", "sts:TagSession"], Resource: "*" }
  identityProviders:
    - { kind: saml, name: company, metadataFile: company.xml${further} }
    - { kind: saml, name: other, metadataFile: other.xml }
  roles:${role('analyst', trust(company, everything, audience))}${role('plain', trust(company, plain))}${role(
    'members',
    trust(
      company,
      plain,
      '{ "ForAnyValue:StringEquals": { "saml:edupersonaffiliation": member }, StringEquals: { "saml:iss": "https://idp.example.com/metadata" } }',
    ),
  )}${role('team-blue', trust(company, everything, '{ StringEquals: { "aws:RequestTag/team": blue } }'))}${role(
    'hourly',
    trust(company, plain, '{ NumericLessThanEquals: { "sts:DurationSeconds": "3600" } }'),
  )}${role('others', trust(`{ Federated: "${samlProviderArn('other')}" }`, plain))}${role('everyone', trust('"*"', plain))}${role(
    'account',
    trust(`{ AWS: "arn:aws:iam::${account}:root" }`, plain),
  )}${role('by-token', trust(company, '"sts:AssumeRoleWithWebIdentity"'))}${role(
    'next',
    trust(
      `{ AWS: "${roleArn('analyst')}" }`,
      '["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]',
    ),
  )}
    - { name: long, maxSessionDurationSeconds: 7200, trustPolicy: ${trust(company, plain)} }
`;
}
