import type { Directory } from '../../../src/directory/directory.ts';
import type { StsDependencies } from '../../../src/sts/handle.ts';
import type { TestCredentials } from '../../support/smithy-signer.ts';
import {
  accountId,
  arrive,
  assumePolicy,
  assumeRoleForm,
  buildWorld,
  dependenciesOf,
  document,
  keyOf,
  type Outcome,
  roleArn,
  serve,
  sessionArn,
  trust,
  userArn,
} from './sts-fixture.ts';

/** The principal that delegates to the account. */
export const account: string = `arn:aws:iam::${accountId}:root`;

/** Users, roles that trust in different ways, and roles to chain through. */
export const world: Directory = buildWorld({
  policies: {
    AssumeAnything: assumePolicy('*'),
    S3Only: document({ Effect: 'Allow', Action: 's3:*', Resource: '*' }),
  },
  users: {
    alice: { inline: [assumePolicy('*')] },
    nobody: {},
    denied: { inline: [assumePolicy('*'), assumePolicy(roleArn('*'), 'Deny')] },
    bounded: { inline: [assumePolicy('*')], boundary: 'S3Only' },
  },
  roles: {
    open: { trust: trust(account) },
    taggable: {
      trust: {
        Version: '2012-10-17',
        Statement: {
          Effect: 'Allow',
          Principal: { AWS: userArn('alice') },
          Action: ['sts:AssumeRole', 'sts:TagSession'],
        },
      },
    },
    direct: { trust: trust([userArn('nobody'), userArn('denied'), userArn('bounded')]) },
    closed: { trust: trust(userArn('somebody-else')) },
    refusing: {
      trust: {
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Principal: { AWS: userArn('alice') }, Action: 'sts:AssumeRole' },
          { Effect: 'Deny', Principal: '*', Action: 'sts:AssumeRole' },
        ],
      },
    },
    external: {
      trust: trust(account, { StringEquals: { 'sts:ExternalId': 'shared-secret' } }),
    },
    named: { trust: trust(account, { StringEquals: { 'sts:RoleSessionName': 'alice' } }) },
    hourly: { trust: trust(account, { StringEquals: { 'sts:DurationSeconds': '3600' } }) },
    long: { trust: trust(account), maxSessionDurationSeconds: 43_200 },
    nested: { trust: trust(account), path: '/team/data/' },
    // For chaining: what `hop` may do next.
    hop: { trust: trust(account), inline: [assumePolicy('*')] },
    'hop-silent': { trust: trust(account) },
    'hop-bounded': { trust: trust(account), inline: [assumePolicy('*')], boundary: 'S3Only' },
    'by-session': { trust: trust(sessionArn('hop-silent', 'tester')) },
    'by-role': {
      trust: trust([roleArn('hop'), roleArn('hop-silent'), roleArn('hop-bounded')]),
      maxSessionDurationSeconds: 43_200,
    },
    'not-hop': {
      trust: {
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Principal: { AWS: account }, Action: 'sts:AssumeRole' },
          { Effect: 'Deny', Principal: { AWS: roleArn('hop') }, Action: 'sts:AssumeRole' },
        ],
      },
    },
  },
});
export const dependencies: StsDependencies = dependenciesOf(world);

/** Assumes a role of the test world, as alice unless said otherwise. */
export async function assume(
  role: string,
  credentials: TestCredentials = keyOf('alice'),
  changes: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  return serve(await arrive(assumeRoleForm(role, changes), credentials), dependencies);
}
