import { z } from 'zod';

/*
 * The audit record: the names and forms of CloudTrail's event version 1.11 (AWS CloudTrail User Guide, "CloudTrail record contents"
 * and "CloudTrail userIdentity element"). docs/audit-record.schema.json is made from this schema. What CloudTrail does not have stands
 * in `additionalEventData.stsSidecar` only.
 */

const account = z.string().regex(/^\d{12}$/);

const sessionIssuer = z.strictObject({
  type: z.enum(['Role', 'IAMUser', 'Root']),
  principalId: z.string(),
  arn: z.string(),
  accountId: account,
  userName: z.string().optional(),
});

const sessionContext = z.strictObject({
  sessionIssuer: sessionIssuer.optional(),
  webIdFederationData: z
    .strictObject({ federatedProvider: z.string(), attributes: z.record(z.string(), z.string()) })
    .optional(),
  attributes: z.strictObject({ creationDate: z.string(), mfaAuthenticated: z.enum(['true', 'false']) }),
  sourceIdentity: z.string().optional(),
});

const known = { principalId: z.string(), arn: z.string(), accountId: account, accessKeyId: z.string() };

const userIdentity = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('IAMUser'),
    ...known,
    userName: z.string(),
    sessionContext: sessionContext.optional(),
  }),
  z.strictObject({ type: z.literal('Root'), ...known, sessionContext: sessionContext.optional() }),
  z.strictObject({ type: z.literal('AssumedRole'), ...known, sessionContext }),
  z.strictObject({ type: z.literal('FederatedUser'), ...known, sessionContext }),
  z.strictObject({
    type: z.enum(['WebIdentityUser', 'SAMLUser']),
    principalId: z.string().optional(),
    userName: z.string().optional(),
    identityProvider: z.string().optional(),
  }),
  z.strictObject({
    type: z.literal('AWSAccount'),
    principalId: z.literal(''),
    accountId: z.literal('ANONYMOUS_PRINCIPAL'),
  }),
  z.strictObject({
    type: z.literal('Unknown'),
    principalId: z.literal(''),
    accessKeyId: z.string().optional(),
  }),
]);

const resource = z.strictObject({
  accountId: account.optional(),
  type: z.enum(['AWS::S3::Object', 'AWS::S3::Bucket', 'AWS::IAM::Role', 'AWS::IAM::SAMLProvider']),
  ARN: z.string().optional(),
  ARNPrefix: z.string().optional(),
});

const stsSidecar = z.strictObject({
  decision: z.enum(['allow', 'deny', 'error']).optional(),
  policyType: z.string().optional(),
  matchedPolicy: z.string().optional(),
  matchedSid: z.string().optional(),
  enforced: z.boolean().optional(),
  policyRevision: z.string(),
  cause: z.string().optional(),
  authenticationFailure: z.string().optional(),
  httpStatus: z.int(),
  aborted: z.literal(true).optional(),
  listener: z.literal('container').optional(),
  traceId: z.string().optional(),
  sessionId: z.string().optional(),
  issuedSessionId: z.string().optional(),
  identityProvider: z.string().optional(),
  storeRequestId: z.string().optional(),
  batch: z
    .strictObject({
      items: z.int(),
      denied: z.int(),
      objects: z.array(
        z.strictObject({
          key: z.string(),
          versionId: z.string().optional(),
          denied: z.literal(true).optional(),
        }),
      ),
      isCut: z.literal(true).optional(),
    })
    .optional(),
});

/** The schema of an audit record. */
export const auditRecord = z.strictObject({
  eventVersion: z.literal('1.11'),
  userIdentity,
  eventTime: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
  eventSource: z.enum(['s3.amazonaws.com', 'sts.amazonaws.com']),
  eventName: z.string(),
  awsRegion: z.string(),
  sourceIPAddress: z.string(),
  userAgent: z.string(),
  errorCode: z.string().optional(),
  errorMessage: z.string().optional(),
  requestParameters: z.record(z.string(), z.unknown()).nullable(),
  responseElements: z.record(z.string(), z.unknown()).nullable(),
  additionalEventData: z.strictObject({
    SignatureVersion: z.literal('SigV4').optional(),
    AuthenticationMethod: z.enum(['AuthHeader', 'QueryString', 'HtmlForm']).optional(),
    bytesTransferredIn: z.int().optional(),
    bytesTransferredOut: z.int().optional(),
    'x-amz-id-2': z.string().optional(),
    stsSidecar,
  }),
  requestID: z.string(),
  eventID: z.uuidv4(),
  readOnly: z.boolean(),
  resources: z.array(resource),
  eventType: z.literal('AwsApiCall'),
  managementEvent: z.boolean(),
  recipientAccountId: account,
  eventCategory: z.enum(['Data', 'Management']),
});

/** One audit record. */
export type AuditRecord = z.infer<typeof auditRecord>;

/** Its part that says who called. */
export type UserIdentity = AuditRecord['userIdentity'];

/** What the record says about an object, bucket, role or provider. */
export type AuditResource = AuditRecord['resources'][number];
