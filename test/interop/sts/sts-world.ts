import { randomBytes } from 'node:crypto';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { startIdentityProvider, type TestIdentityProvider } from '../../support/identity-provider.ts';
import { s3Client } from '../../support/sdk.ts';
import { account, alice, roleArn, startSidecar, type TestSidecar } from '../../support/sidecar.ts';
import { providerArn } from '../../support/web-identity.ts';
import { run } from '../clients/client.ts';
import { requireComponent } from '../components.ts';

/** A device that makes one-time codes. Each code is valid once, so every test has its own device. */
export interface Device {
  readonly serialNumber: string;
  /** The current code, as oathtool makes it. */
  code(): Promise<string>;
}

/** A sidecar with what `aws sts` and boto3 can ask for, and the bucket `data` behind it. */
export interface StsWorld {
  readonly sidecar: TestSidecar;
  readonly idp: TestIdentityProvider;
  /** One that was not handed out before. */
  device(): Device;
  stop(): Promise<void>;
}

const deviceCount = 20;

const trust = (principal: string, actions: string, condition = ''): string =>
  `{ Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: ${principal}, Action: ${actions}${condition} }] }`;
const own = `{ AWS: "arn:aws:iam::${account}:root" }`;
const both = '["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]';

const directory = (issuer: string, devices: string): string => `
directory:
  policies:
    Data:
      Version: "2012-10-17"
      Statement:
        - { Effect: Allow, Action: ["s3:PutObject", "s3:GetObject", "s3:ListBucket"], Resource: ["arn:aws:s3:::data", "arn:aws:s3:::data/open/*"] }
        - { Effect: Allow, Action: ["s3:PutObject"], Resource: "arn:aws:s3:::data/\${aws:PrincipalTag/team}/*" }
        - { Effect: Allow, Action: ["sts:*"], Resource: "*" }
  users:
    - name: alice
      policies: [Data]
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      mfaDevices: [${devices}]
  roles:
    - { name: data, policies: [Data], trustPolicy: ${trust(own, both)} }
    - { name: next, policies: [Data], trustPolicy: ${trust(`{ AWS: "${roleArn('data')}" }`, both)} }
    - { name: external, policies: [Data], trustPolicy: ${trust(own, both, ', Condition: { StringEquals: { "sts:ExternalId": "the-external-id" } }')} }
    - { name: guarded, policies: [Data], trustPolicy: ${trust(own, both, ', Condition: { Bool: { "aws:MultiFactorAuthPresent": "true" } }')} }
    - { name: web, policies: [Data], trustPolicy: ${trust(`{ Federated: "${providerArn(issuer)}" }`, '"sts:AssumeRoleWithWebIdentity"')} }
  identityProviders:
    - { kind: oidc, name: company, issuer: "${issuer}", clientIds: [sts-sidecar] }
`;

/** A new secret of a device, in base32. */
export function newTotpSecret(): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return [...randomBytes(32)].map((byte) => letters[byte % 32]).join('');
}

/** The code that oathtool makes from a secret, now or at a second since the Unix epoch. */
export async function oathtoolCode(secret: string, atSeconds?: number): Promise<string> {
  const at = atSeconds === undefined ? [] : ['--now', `@${atSeconds}`];
  return (await run(requireComponent('oathtool'), ['--totp', '--base32', ...at, secret])).trim();
}

export async function startStsWorld(): Promise<StsWorld> {
  const idp = await startIdentityProvider();
  const serialNumber = (index: number): string => `arn:aws:iam::${account}:mfa/device-${index}`;
  const secrets = Array.from({ length: deviceCount }, newTotpSecret);
  const devices = secrets.map(
    (_, index) => `{ serialNumber: "${serialNumber(index)}", totpSecret: { env: TOTP_${index} } }`,
  );
  const sidecar = await startSidecar({
    directory: directory(idp.issuer, devices.join(', ')),
    variables: Object.fromEntries(secrets.map((secret, index) => [`TOTP_${index}`, secret])),
  });
  await s3Client(sidecar.storeUrl, sidecar.storeCredentials).send(
    new CreateBucketCommand({ Bucket: 'data' }),
  );
  let used = 0;
  return {
    sidecar,
    idp,
    device: () => {
      const index = used++;
      const secret = secrets[index];
      if (secret === undefined) throw new Error('the test directory has no more devices');
      return { serialNumber: serialNumber(index), code: () => oathtoolCode(secret) };
    },
    stop: async () => {
      await sidecar.stop();
      await idp.stop();
    },
  };
}
