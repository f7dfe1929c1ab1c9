// The policy engine's part of `npm run bench:micro`: decisions on requests that differ, and compiling a policy.
import { fromBuild } from './build.mjs';

const { decide } = await fromBuild('iam/combine.js');
const { compilePolicy } = await fromBuild('iam/compile.js');
const { parsePolicyText } = await fromBuild('iam/document.js');
const { nearestStatement } = await fromBuild('iam/near-miss.js');
const { RequestContext } = await fromBuild('iam/request-context.js');

const account = '123456789012';
const variable = (key) => `$\{${key}}`;

/** Two Denies for everything, then statements for one bucket each: plain, with a condition, or with a variable. */
function policyText(statements, firstBucket = 0) {
  const Statement = [
    { Effect: 'Deny', Action: '*', Resource: '*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
    {
      Effect: 'Deny',
      Action: 's3:Delete*',
      Resource: '*',
      Condition: { BoolIfExists: { 'aws:MultiFactorAuthPresent': 'false' } },
    },
  ];
  while (Statement.length < statements) {
    const bucket = `arn:aws:s3:::team-${firstBucket + Statement.length - 2}`;
    const form = Statement.length % 5;
    Statement.push({
      Effect: 'Allow',
      Action: ['s3:GetObject', 's3:PutObject'],
      Resource: form === 4 ? `${bucket}/${variable('aws:PrincipalTag/team')}/*` : `${bucket}/*`,
      ...(form === 3 && { Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } }),
    });
  }
  return JSON.stringify({ Version: '2012-10-17', Statement });
}

function compile(text, kind = 'identity') {
  return compilePolicy(parsePolicyText(text, kind), 'bench');
}

const sessionText = JSON.stringify({
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Action: 's3:Get*', Resource: 'arn:aws:s3:::team-*' },
});

const requestCount = 80;

/** What clients ask: another bucket and key each time, and three in ten are denied, each for another reason. */
function requestsFor(buckets) {
  return Array.from({ length: requestCount }, (_, index) => {
    const why = index % 10;
    const bucket = (index * 7) % buckets;
    return {
      bucket: why === 3 ? `other-${bucket}` : `team-${bucket}`,
      key: `red/2026/part-${index}.parquet`,
      action: why === 6 ? 's3:DeleteObject' : 's3:GetObject',
      secure: why === 9 ? 'false' : 'true',
      address: `10.1.2.${index}`,
      mayRead: why !== 3 && why !== 6 && why !== 9,
    };
  });
}

const principal = {
  kind: 'role-session',
  accountId: account,
  arn: `arn:aws:sts::${account}:assumed-role/reader/bench`,
  entityArn: `arn:aws:iam::${account}:role/reader`,
};

/** One decision as the sidecar makes it: the ARN and a context of four keys are built for it, nothing is kept. */
function decideOn(sets, { action, bucket, key, secure, address }) {
  const context = new RequestContext([
    ['aws:SecureTransport', secure],
    ['aws:SourceIp', address],
    ['aws:MultiFactorAuthPresent', 'false'],
    ['aws:PrincipalTag/team', 'red'],
  ]);
  return decide(sets, { principal, action, resource: `arn:aws:s3:::${bucket}/${key}`, context });
}

function decisions(sets, buckets) {
  const requests = requestsFor(buckets);
  for (const request of requests) {
    const { effect, fault } = decideOn(sets, request);
    if (fault !== undefined || (effect === 'allow') !== request.mayRead) {
      throw new Error(`the policy answers ${effect} for ${JSON.stringify(request)}`);
    }
  }
  const denied = requests.filter(({ mayRead }) => !mayRead).length;
  if (denied !== requests.length * 0.3) throw new Error(`${denied} requests are denied`);
  let allowed = 0;
  return (index) => {
    if (decideOn(sets, requests[index % requestCount]).effect === 'allow') allowed += 1;
    return allowed;
  };
}

/** The search that follows an implicit deny, one that a failed condition ends and one that a resource ends in turn. */
function nearMisses(sets) {
  const denied = { policyType: 'identity', isExplicitDeny: false };
  const queries = requestsFor(190)
    .filter(({ mayRead }) => mayRead)
    .flatMap(({ bucket }) => [`arn:aws:s3:::${bucket}/red/x`, `arn:aws:s3:::${bucket}-2026/red/x`])
    .map((resource) => {
      const context = new RequestContext([
        ['aws:SourceIp', '192.0.2.1'],
        ['aws:PrincipalTag/team', 'blue'],
      ]);
      return { principal, action: 's3:GetObject', resource, context };
    })
    .filter((query) => decide(sets, query).effect === 'deny');
  if (queries.some((query) => nearestStatement(sets, query, denied) === undefined)) {
    throw new Error('a denial without a near miss');
  }
  return (index) => nearestStatement(sets, queries[index % queries.length], denied);
}

const text20 = policyText(20);
const identity20 = [compile(text20)];
// One policy cannot be that long: five managed ones of 40 statements.
const identity200 = [0, 38, 76, 114, 152].map((firstBucket) => compile(policyText(40, firstBucket)));

/** As many copies of one statement's pattern as a session policy has room for, each tested on the longest key. */
function hostileDecision(pattern) {
  const values = [];
  const text = () =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Action: '*', Resource: values },
    });
  while (text().length < 2000) values.push(`arn:aws:s3:::b/${pattern}`);
  values.pop();
  const everything = compile(
    '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}',
  );
  const sets = { identity: [everything], session: [compile(text(), 'session')] };
  const resource = `arn:aws:s3:::b/${'a'.repeat(1024)}`;
  return () => decide(sets, { principal, action: 's3:GetObject', resource, context: new RequestContext([]) });
}

/** Name, call, and the most HMACs that one call may take. */
export const decisionPieces = [
  ['decide, 20 statements', decisions({ identity: identity20 }, 18), 1 / 3],
  ['decide, 200 statements', decisions({ identity: identity200 }, 190), 1],
  [
    'decide, identity of 20 statements ∩ session of 1',
    decisions({ identity: identity20, session: [compile(sessionText, 'session')] }, 18),
    1 / 2,
  ],
  ['near miss of a denial, 200 statements', nearMisses({ identity: identity200 }), 20],
  ['compile a policy of 20 statements', () => compile(text20), 500],
  ['hostile session policy: stars', hostileDecision(`${'*a'.repeat(29)}b*`), 1000],
  ['hostile session policy: question marks', hostileDecision(`*${'?a'.repeat(60)}b*`), 1000],
];
