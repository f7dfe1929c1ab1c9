import fc from 'fast-check';
import type { PolicyPrincipal } from '../../src/iam/evaluate.ts';
import { variable } from '../support/policy-documents.ts';
import type { RawPolicy, RawPrincipal, RawRequest, RawStatement } from '../support/reference-evaluator.ts';
import {
  condition,
  context,
  malformed,
  oneOrMany,
  otherSpelling,
  withoutVariablesOf2012,
} from './iam-condition-arbitraries.ts';

/**
 * Type-directed random policies and requests over small alphabets, so that patterns and requests meet often. Every
 * generated policy is valid for its kind.
 */

const account = '123456789012';
const userArn = `arn:aws:iam::${account}:user/team/anna`;
const roleArn = `arn:aws:iam::${account}:role/deep/reader`;
const sessionArn = `arn:aws:sts::${account}:assumed-role/reader/ci`;
const federatedArn = `arn:aws:sts::${account}:federated-user/fred`;
const providerArn: string = `arn:aws:iam::${account}:oidc-provider/idp.example.com`;

const principals: Readonly<Record<PolicyPrincipal['kind'], PolicyPrincipal>> = {
  anonymous: { kind: 'anonymous', accountId: '', arn: '' },
  root: { kind: 'root', accountId: account, arn: `arn:aws:iam::${account}:root` },
  user: { kind: 'user', accountId: account, arn: userArn },
  'role-session': { kind: 'role-session', accountId: account, arn: sessionArn, entityArn: roleArn },
  'federated-user': { kind: 'federated-user', accountId: account, arn: federatedArn, entityArn: userArn },
  'web-identity': { kind: 'web-identity', accountId: account, arn: '', federatedProvider: providerArn },
  saml: {
    kind: 'saml',
    accountId: account,
    arn: '',
    federatedProvider: `arn:aws:iam::${account}:saml-provider/corp`,
  },
};

const principal: fc.Arbitrary<PolicyPrincipal> = fc.constantFrom(...Object.values(principals));

const actions = ['s3:GetObject', 's3:PutObject', 's3:ListBucket', 'sts:AssumeRole'];
const actionPattern = fc.constantFrom(
  ...actions,
  ...['*', '*:*', 's3:*', 's3:Get*', 'S3:get?bject', 's3:*Object', 'sts:*', 's3:*t*', 's3:?utObject'],
);

const bucketNames = ['a', 'ab', 'b'];
const keys = ['x', 'anna/x', 'anna/y/z', 'é/😀', '*', 'a*', `${variable('aws:username')}/x`, 'x:y', ''];
const resource = fc
  .tuple(fc.constantFrom(...bucketNames), fc.constantFrom(undefined, ...keys))
  .map(([bucket, key]) => `arn:aws:s3:::${bucket}${key === undefined ? '' : `/${key}`}`);

const resourceHead = fc.constantFrom(
  ...[
    'arn:aws:s3:::',
    'arn:aws:s3:::',
    'arn:aws:s3:::',
    'arn:*:s3:::',
    'arn:aws:s?:*:*:',
    'arn:aws-cn:s3:::',
  ],
);
const resourcePiece = fc.constantFrom(
  ...['a', 'b', 'ab', '/', '/', 'anna', 'x', '*', '*', '?', '😀', ':'],
  ...[
    variable('aws:username'),
    variable('aws:PrincipalTag/team'),
    variable("aws:PrincipalTag/team, 'anna'"),
    variable('*'),
    variable('aws:TagKeys'),
    variable("s3:RequestObjectTagKeys, 'x'"),
  ],
);
const fullPattern = fc
  .tuple(
    resourceHead,
    fc.constantFrom('a', 'b', 'a*', '?b', 'ab', 'a/', 'b/', '*'),
    fc.array(resourcePiece, { maxLength: 5 }),
  )
  .map(([head, bucket, pieces]) => head + bucket + pieces.join(''));

function resourcePattern(isPadded: boolean): fc.Arbitrary<string> {
  const short = isPadded ? ['arn:aws:s3', 'arn:aws:*', 'arn'] : ['arn:aws:s3:*', 'arn:*', '*:*'];
  return fc.oneof(
    { weight: 8, arbitrary: fullPattern },
    { weight: 1, arbitrary: fc.constantFrom('*', ...short) },
  );
}

const entries = fc.constantFrom(
  '*',
  account,
  `arn:aws:iam::${account}:root`,
  userArn,
  roleArn,
  sessionArn,
  federatedArn,
  '210987654321',
);
const principalElement: fc.Arbitrary<RawPrincipal> = fc.oneof(
  fc.constant<RawPrincipal>('*'),
  oneOrMany(entries).map((list) => ({ AWS: list })),
  fc.constant<RawPrincipal>({ Service: 'logging.example.com', AWS: roleArn }),
);
const trustedElement: fc.Arbitrary<RawPrincipal> = fc.oneof(
  principalElement,
  fc.constant<RawPrincipal>({ Federated: providerArn, Service: 'logging.example.com' }),
);
const notPrincipalElement: fc.Arbitrary<RawPrincipal> = oneOrMany(
  entries.filter((entry) => entry !== '*'),
).map((list) => ({ AWS: list }));

export type RawKind = 'identity' | 'resource' | 'trust';

function principalPart(kind: RawKind, effect: string): fc.Arbitrary<Partial<RawStatement>> {
  if (kind === 'identity') return fc.constant({});
  const element = kind === 'trust' ? trustedElement : principalElement;
  const positive = element.map((Principal) => ({ Principal }));
  if (kind === 'trust' || effect === 'Allow') return positive;
  return fc.oneof(
    positive,
    notPrincipalElement.map((NotPrincipal) => ({ NotPrincipal })),
  );
}

export function statement(kind: RawKind, effect?: 'Allow' | 'Deny'): fc.Arbitrary<RawStatement> {
  const chosen =
    effect === undefined ? fc.constantFrom<'Allow' | 'Deny'>('Allow', 'Allow', 'Deny') : fc.constant(effect);
  return chosen.chain((Effect) => {
    const patterns = oneOrMany(resourcePattern(kind !== 'resource'));
    const action = oneOrMany(actionPattern);
    return fc
      .tuple(
        principalPart(kind, Effect),
        fc.oneof(
          { weight: 5, arbitrary: action.map((Action) => ({ Action })) },
          { weight: 1, arbitrary: action.map((NotAction) => ({ NotAction })) },
        ),
        kind === 'trust'
          ? fc.constant({})
          : fc.oneof(
              { weight: 4, arbitrary: patterns.map((Resource) => ({ Resource })) },
              { weight: 1, arbitrary: patterns.map((NotResource) => ({ NotResource })) },
            ),
        fc.oneof(
          fc.constant({}),
          condition.map((Condition) => ({ Condition })),
        ),
      )
      .map((parts) => Object.assign({ Effect }, ...parts) as RawStatement);
  });
}

export function policy(kind: RawKind): fc.Arbitrary<RawPolicy> {
  return fc
    .tuple(
      fc.constantFrom<{ Version?: string }>(
        { Version: '2012-10-17' },
        { Version: '2012-10-17' },
        { Version: '2008-10-17' },
        {},
      ),
      fc.array(statement(kind), { minLength: 1, maxLength: 9 }),
    )
    .map(([version, statements]) => ({
      ...version,
      Statement: version.Version === '2012-10-17' ? statements : statements.map(withoutVariablesOf2012),
    }));
}

function requestWith(drawn: fc.Arbitrary<RawRequest['context']>): fc.Arbitrary<RawRequest> {
  const action = fc.constantFrom(...actions, 's3:getobject');
  return fc.record({ principal, action, resource, context: drawn });
}

export const request: fc.Arbitrary<RawRequest> = requestWith(context);

/** With values that an operator cannot read, and tags whose keys differ only in case. */
export const malformedRequest: fc.Arbitrary<RawRequest> = requestWith(
  fc
    .tuple(context, malformed, fc.option(otherSpelling, { nil: {} }))
    .map((parts) => Object.assign({}, ...parts) as RawRequest['context']),
);
