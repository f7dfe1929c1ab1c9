import type { Attributes, AttributeValue } from '@opentelemetry/api';
import { flatCopy } from '../core/bytes.ts';
import type { RequestRecord } from '../core/request-record.ts';
import { type KeyVisibility, shownKey } from '../core/shown-key.ts';

type Row = readonly [
  name: string,
  value: (record: RequestRecord, objectKeys: KeyVisibility) => AttributeValue | undefined,
];

/** As in the log. */
const maxUserAgent = 256;

/** Of codes and ids that the store chooses. */
const maxOfStore = 128;

/** What OpenTelemetry calls known methods; any other is `_OTHER`. */
const knownMethods: ReadonlySet<string> = new Set(
  'CONNECT DELETE GET HEAD OPTIONS PATCH POST PUT TRACE'.split(' '),
);

/** Names of AWS's services, by which OpenTelemetry knows calls of the AWS SDK (`rpc.system: aws-api`). */
const services: Readonly<Record<RequestRecord['service'], string | undefined>> = {
  s3: 'S3',
  sts: 'STS',
  none: undefined,
};

const common: readonly Row[] = [
  ['rpc.system', ({ service }) => (services[service] === undefined ? undefined : 'aws-api')],
  ['rpc.service', ({ service }) => services[service]],
  ['rpc.method', ({ service, operation }) => (services[service] === undefined ? undefined : operation)],
];

/**
 * Attributes of the span of a request, by OpenTelemetry's semantic conventions 1.45. There is no `url.path` and no `url.query`: they
 * have object keys, and can have signatures and tokens.
 */
const ofRequest: readonly Row[] = [
  ...common,
  ['http.request.method', ({ method }) => (knownMethods.has(method) ? method : '_OTHER')],
  ['http.response.status_code', ({ status }) => (status === 0 ? undefined : status)],
  ['http.request.body.size', ({ bytesIn }) => bytesIn],
  ['http.response.body.size', ({ bytesOut }) => bytesOut],
  ['client.address', ({ sourceIp }) => ownText(sourceIp)],
  ['user_agent.original', ({ userAgent }) => ownText(userAgent?.slice(0, maxUserAgent))],
  ['aws.request_id', ({ requestId }) => ownText(requestId)],
  ['aws.s3.bucket', ({ bucket }) => ownText(bucket)],
  ['aws.s3.key', ({ key }, objectKeys) => ownText(shownKey(key, objectKeys))],
  ['enduser.id', ({ principalArn }) => ownText(principalArn)],
  ['sts_sidecar.decision', ({ decision }) => decision?.decision],
  [
    'error.type',
    ({ errorCode, status }) => ofStoresText(errorCode) ?? (isFault(status) ? String(status) : undefined),
  ],
];

const ofStore: readonly Row[] = [
  ...common,
  ['http.response.status_code', storeStatus],
  ['aws.request_id', ({ upstreamRequestId }) => ofStoresText(upstreamRequestId)],
  ['error.type', storeError],
];

/** The name of both spans: the operation, which is one of a table. */
export function spanName({ service, operation, method }: RequestRecord): string {
  const known = services[service];
  if (known !== undefined) return `${known}.${operation}`;
  return knownMethods.has(method) ? method : 'HTTP';
}

/** What a span tells about the whole request. */
export function requestAttributes(record: RequestRecord, objectKeys: KeyVisibility): Attributes {
  return attributesOf(ofRequest, record, objectKeys);
}

/** What a span tells about the exchange with the store. */
export function storeAttributes(record: RequestRecord): Attributes {
  return attributesOf(ofStore, record, 'off');
}

/** True for a status that says that the server is at fault; those of clients are no errors of a server. */
export function isFault(status: number): boolean {
  return status >= 500;
}

/** Why the exchange with the store is an error; `undefined` for one that is none. */
export function storeError(record: RequestRecord): string | undefined {
  const status = storeStatus(record);
  return record.upstreamFailure ?? (status !== undefined && status >= 400 ? String(status) : undefined);
}

// Without a first byte, the status is the sidecar's own.
function storeStatus({ upstreamStatus, firstByteMs, status }: RequestRecord): number | undefined {
  return upstreamStatus ?? (firstByteMs === undefined ? undefined : status);
}

function attributesOf(rows: readonly Row[], record: RequestRecord, objectKeys: KeyVisibility): Attributes {
  const attributes: Attributes = {};
  for (const [name, read] of rows) {
    const value = read(record, objectKeys);
    if (value !== undefined) attributes[name] = value;
  }
  return attributes;
}

function ofStoresText(text: string | undefined): string | undefined {
  return ownText(text?.slice(0, maxOfStore));
}

// Spans wait for their export. A slice would keep the head that it was cut from.
function ownText(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : flatCopy(text);
}
