import { isoSeconds } from '../core/clock.ts';
import type { RequestRecord } from '../core/request-record.ts';
import type { S3Request } from '../s3/operation.ts';
import type { AuditRecord } from './audit-record.ts';
import { cut } from './cut.ts';
import type { AuditFacts } from './request-audit.ts';
import { isDataEvent, isReadOnly, s3EventName, s3Parameters, s3Resources } from './s3-event.ts';
import { askedParameters, stsResources } from './sts-event.ts';
import { callerIdentity, unsignedIdentity } from './user-identity.ts';

/** The account that every record names. */
export interface AuditAccount {
  readonly id: string;
  readonly partition: string;
  /** The region of requests whose signature names none. */
  readonly region: string;
}

/** What a record has beside the facts of its request. */
export interface RecordParts {
  readonly account: AuditAccount;
  /** A random UUID. */
  readonly eventId: string;
  /** Milliseconds since the Unix epoch. */
  readonly nowMs: number;
}

/** CloudTrail cuts messages at 1,024 characters. */
const maxMessage = 1024;
const maxUserAgent = 256;
const maxCause = 256;
const maxPolicyName = 256;

/** Keys of a batch that are recorded, all together in characters: most of what a document of 1,000 usual keys names. */
const maxBatchCharacters = 131_072;

const authenticationMethods = { header: 'AuthHeader', query: 'QueryString', form: 'HtmlForm' } as const;

/** Builds the audit record of a request. Absent members are `undefined`, which JSON leaves out. */
export function auditRecordOf(facts: AuditFacts, record: RequestRecord, parts: RecordParts): AuditRecord {
  const { account, eventId, nowMs } = parts;
  const { caller, denial, authenticated } = facts;
  const { operation, errorCode } = record;
  const userIdentity = caller === undefined ? unsignedIdentity(record) : callerIdentity(caller, account.id);
  const service = record.service === 'sts' ? stsPart(facts, record, account) : s3Part(facts, record, account);
  return {
    eventVersion: '1.11',
    userIdentity,
    eventTime: isoSeconds(nowMs),
    eventSource: service.eventSource,
    eventName: service.eventName,
    awsRegion: authenticated?.region || account.region,
    sourceIPAddress: record.sourceIp,
    userAgent: cut(record.userAgent ?? '', maxUserAgent),
    errorCode,
    errorMessage: errorCode === undefined || denial === undefined ? undefined : cut(denial, maxMessage),
    requestParameters: service.requestParameters,
    responseElements: service.responseElements,
    additionalEventData: { ...service.transfer, stsSidecar: ownData(facts, record) },
    requestID: record.requestId,
    eventID: eventId,
    readOnly: record.service === 'sts' || isReadOnly(record.method, operation),
    resources: service.resources,
    eventType: 'AwsApiCall',
    managementEvent: !service.isData,
    recipientAccountId: account.id,
    eventCategory: service.isData ? 'Data' : 'Management',
  };
}

/** Decision, cause and ids, each at its longest, and the longer id of the event. */
const roomForOutcome = 4_096;
/** A message at its longest, which may have been cut: JSON writes a character with six bytes at most. */
const roomForMessage: number = 6 * maxMessage + Buffer.byteLength('…');
/** The members of a result, each at its longest. */
const roomForResult = 16_384;
/** `,"denied":true` */
const roomPerItem = 16;

/**
 * The longest that a record can become at the end of its request, in bytes.
 * @param bytes of the record while the request has no outcome
 */
export function roomFor(bytes: number, { request }: AuditFacts, { service }: RequestRecord): number {
  if (service === 'sts') return bytes + roomForOutcome + roomForResult;
  // The message of a denial names the caller and the resource, as the record does.
  const message = Math.min(bytes, roomForMessage);
  return bytes + message + roomForOutcome + roomPerItem * (request?.batch?.items.length ?? 0);
}

interface ServicePart
  extends Pick<
    AuditRecord,
    'eventSource' | 'eventName' | 'requestParameters' | 'responseElements' | 'resources'
  > {
  readonly isData: boolean;
  readonly transfer: Omit<AuditRecord['additionalEventData'], 'stsSidecar'>;
}

function stsPart(facts: AuditFacts, record: RequestRecord, { id }: AuditAccount): ServicePart {
  const parameters = facts.parameters ?? askedParameters(record);
  return {
    eventSource: 'sts.amazonaws.com',
    eventName: record.operation,
    requestParameters: Object.keys(parameters).length === 0 ? null : parameters,
    responseElements: record.errorCode === undefined ? facts.response : null,
    resources: stsResources(parameters, { accountId: id }),
    isData: false,
    transfer: {},
  };
}

function s3Part(facts: AuditFacts, record: RequestRecord, account: AuditAccount): ServicePart {
  const { request, host, authenticated } = facts;
  // A form is one request: the object that it stands for is named in it.
  const operation =
    record.operation === 'Unknown' && request !== undefined ? request.operation.name : record.operation;
  const addressed = {
    bucket: record.bucket ?? request?.bucket,
    key: record.key ?? request?.key,
    host,
  };
  return {
    eventSource: 's3.amazonaws.com',
    eventName: s3EventName(operation),
    requestParameters: s3Parameters(request, addressed),
    responseElements: null,
    resources: s3Resources(request, addressed, { accountId: account.id, partition: account.partition }),
    isData: isDataEvent(operation, request),
    transfer: {
      SignatureVersion: authenticated === undefined ? undefined : 'SigV4',
      AuthenticationMethod: authenticated && authenticationMethods[authenticated.form],
      bytesTransferredIn: record.bytesIn,
      bytesTransferredOut: record.bytesOut,
      'x-amz-id-2': record.requestId,
    },
  };
}

type OwnData = AuditRecord['additionalEventData']['stsSidecar'];

function ownData({ request, deniedItems, policyRevision }: AuditFacts, record: RequestRecord): OwnData {
  const { decision, errorDetail } = record;
  return {
    decision: decision?.decision,
    policyType: decision?.policyType,
    matchedPolicy: decision?.matchedPolicy && cut(decision.matchedPolicy, maxPolicyName),
    matchedSid: decision?.matchedSid && cut(decision.matchedSid, maxPolicyName),
    enforced: decision?.isEnforced,
    policyRevision,
    cause: errorDetail && cut(errorDetail, maxCause),
    authenticationFailure: record.authenticationFailure,
    httpStatus: record.status,
    aborted: record.isAborted ? true : undefined,
    listener: record.listener,
    traceId: record.traceId,
    sessionId: record.sessionId,
    issuedSessionId: record.issuedSessionId,
    identityProvider: record.identityProvider,
    storeRequestId: record.upstreamRequestId && cut(record.upstreamRequestId, maxCause),
    batch: request?.batch && batchData(request.batch, deniedItems),
  };
}

function batchData(
  { items }: NonNullable<S3Request['batch']>,
  deniedItems: readonly number[],
): OwnData['batch'] {
  const denied = new Set(deniedItems);
  const objects: NonNullable<OwnData['batch']>['objects'] = [];
  let characters = 0;
  for (const [index, { permissions }] of items.entries()) {
    const { key = '', versionId } = permissions[0]?.object ?? {};
    characters += key.length;
    if (characters > maxBatchCharacters) break;
    objects.push({
      key,
      versionId: versionId === undefined ? undefined : cut(versionId, maxPolicyName),
      denied: denied.has(index) ? true : undefined,
    });
  }
  return {
    items: items.length,
    denied: deniedItems.length,
    objects,
    isCut: objects.length < items.length ? true : undefined,
  };
}
