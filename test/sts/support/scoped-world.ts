import type { Directory } from '../../../src/directory/directory.ts';
import type { StsDependencies } from '../../../src/sts/handle.ts';
import { SessionOpener } from '../../../src/tokens/open.ts';
import type { SessionClaims } from '../../../src/tokens/session-claims.ts';
import type { TestCredentials } from '../../support/smithy-signer.ts';
import {
  accountId,
  arrive,
  assumePolicy,
  assumeRoleForm,
  buildWorld,
  credentialsIn,
  dependenciesOf,
  document,
  keyOf,
  type Outcome,
  roleArn,
  type SendOptions,
  serve,
  sessionArn,
  trust,
  version,
} from './sts-fixture.ts';

const account = `arn:aws:iam::${accountId}:root`;
export const may = (...actions: string[]): object =>
  document({ Effect: 'Allow', Action: actions, Resource: '*' });
export const denyScoping = (Resource: string): object =>
  document(
    { Effect: 'Allow', Action: '*', Resource: '*' },
    { Effect: 'Deny', Action: 'sts:GetScopedCredentials', Resource },
  );
const trustWith = (...Action: string[]): object =>
  document({ Effect: 'Allow', Principal: { AWS: account }, Action });
/** Roles that may do everything, or nothing, or may not narrow themselves, and roles to assume from them. */
export const world: Directory = buildWorld({
  hasRoot: true,
  policies: {
    Everything: may('*'),
    NoScoping: denyScoping('*'),
    S3Only: may('s3:*'),
  },
  users: {
    alice: {
      inline: [
        assumePolicy('*'),
        may('sts:GetFederationToken', 'sts:TagSession', 'sts:SetSourceIdentity', 's3:*'),
      ],
      mfa: {},
    },
    denied: { inline: [may('*'), denyScoping('*')] },
  },
  roles: {
    worker: {
      trust: trustWith('sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'),
      attached: ['Everything'],
      maxSessionDurationSeconds: 43_200,
    },
    silent: { trust: trust(account) },
    denied: { trust: trust(account), attached: ['NoScoping'] },
    'denied-for-long': {
      trust: trust(account),
      inline: [
        document({
          Effect: 'Deny',
          Action: 'sts:GetScopedCredentials',
          Resource: '*',
          Condition: { NumericGreaterThan: { 'sts:DurationSeconds': '900' } },
        }),
      ],
    },
    perimeter: {
      trust: trust(account),
      inline: [
        document({
          Effect: 'Deny',
          Action: '*',
          Resource: '*',
          Condition: { StringNotEquals: { 'aws:ResourceAccount': accountId } },
        }),
      ],
    },
    'denied-by-arn': {
      trust: trust(account),
      inline: [denyScoping(`arn:aws:sts::${accountId}:assumed-role/denied-by-arn/*`)],
    },
    bounded: { trust: trust(account), attached: ['Everything'], boundary: 'NoScoping' },
    'by-session': { trust: trust(sessionArn('worker', 'tester')), attached: ['Everything'] },
    'by-role': { trust: trust(roleArn('worker')), attached: ['Everything'] },
    open: { trust: trust(account), attached: ['Everything'] },
  },
});
export const dependencies: StsDependencies = dependenciesOf(world);

/** The parameters of a call. */
export type Form = Readonly<Record<string, string>>;
export async function call(
  action: string,
  form: Form,
  as: TestCredentials,
  { to = dependencies, ...options }: SendOptions & { readonly to?: typeof dependencies } = {},
): Promise<Outcome> {
  return serve(await arrive({ Action: action, Version: version, ...form }, as, options), to);
}
export const scope = (form: Form, as: TestCredentials, options = {}): Promise<Outcome> =>
  call('GetScopedCredentials', form, as, options);
export const assume = async (role: string, form: Form = {}, as = keyOf('alice')): Promise<Outcome> =>
  serve(await arrive(assumeRoleForm(role, form), as), dependencies);
export const sessionOf = async (role: string, form: Form = {}): Promise<TestCredentials> =>
  credentialsIn(await assume(role, form));
export function claimsIn({ sessionToken = '' }: TestCredentials): SessionClaims {
  const opened = new SessionOpener(dependencies.keyRing).open(sessionToken);
  if (opened === undefined) throw new Error('the token does not open');
  return opened.claims;
}
export const policyText = (policy: object): string => JSON.stringify(policy);
export const reading: string = policyText(may('s3:Get*'));
export const all: string = policyText(may('*'));
