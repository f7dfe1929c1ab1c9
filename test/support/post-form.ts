import { createHmac } from 'node:crypto';
import type { SdkCredentials } from './sdk.ts';
import { exchange } from './wire.ts';

/** What is posted: the fields in their order, and the file. */
export interface FormToSend {
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly file: Buffer;
  /** The name of the file as the client says it; none when absent. */
  readonly fileName?: string;
}

/** The boundary of {@link formBody}. */
export const formBoundary = 'boundary-of-the-test';

/** The Content-Type of {@link formBody}. */
export const formType: string = `multipart/form-data; boundary=${formBoundary}`;

/** A form as browsers write it. */
export function formBody({ fields, file, fileName }: FormToSend, boundary: string = formBoundary): Buffer {
  const pieces = fields.map(([name, value]) =>
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`),
  );
  const named = fileName === undefined ? '' : `; filename="${fileName}"`;
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="file"${named}\r\nContent-Type: application/octet-stream\r\n\r\n`;
  return Buffer.concat([...pieces, Buffer.from(head), file, Buffer.from(`\r\n--${boundary}--\r\n`)]);
}

/** What a form is signed for. */
export interface PolicyToSign {
  readonly credentials: SdkCredentials;
  readonly conditions: readonly unknown[];
  /** Milliseconds since the Unix epoch; now when absent. */
  readonly nowMs?: number;
  readonly expiration?: string;
  readonly service?: string;
  /** Replaces the whole document. */
  readonly document?: string;
}

/**
 * The fields that sign a form, made after AWS's documents without code of `src`. The conditions on the signing fields are added to the
 * policy.
 */
export function signedFields({
  credentials,
  conditions,
  nowMs = Date.now(),
  expiration = new Date(nowMs + 600_000).toISOString(),
  service = 's3',
  document,
}: PolicyToSign): [name: string, value: string][] {
  const timestamp = `${new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
  const date = timestamp.slice(0, 8);
  const signing: [string, string][] = [
    ['x-amz-algorithm', 'AWS4-HMAC-SHA256'],
    ['x-amz-credential', `${credentials.accessKeyId}/${date}/us-east-1/${service}/aws4_request`],
    ['x-amz-date', timestamp],
    ...(credentials.sessionToken === undefined
      ? []
      : [['x-amz-security-token', credentials.sessionToken] as [string, string]]),
  ];
  const own = signing.map(([name, value]) => ({ [name]: value }));
  const text = document ?? JSON.stringify({ expiration, conditions: [...conditions, ...own] });
  const policy = Buffer.from(text).toString('base64');
  let key = Buffer.from(`AWS4${credentials.secretAccessKey}`);
  for (const piece of [date, 'us-east-1', service, 'aws4_request'])
    key = createHmac('sha256', key).update(piece).digest();
  const signature = createHmac('sha256', key).update(policy).digest('hex');
  return [...signing, ['policy', policy], ['x-amz-signature', signature]];
}

/** What a form uploads. */
export const formFile: Buffer = Buffer.from('content of the file');

/** A form for `key`, with further fields that the policy covers; parts of it can be replaced. */
export interface FormShape extends Partial<PolicyToSign> {
  readonly key?: string;
  readonly further?: readonly (readonly [string, string])[];
  readonly file?: Buffer;
  readonly fileName?: string;
  /** Changes the fields after they were signed. */
  readonly change?: (fields: [string, string][]) => [string, string][];
  /** Changes the whole body. */
  readonly changeBody?: (body: Buffer) => Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  readonly path?: string;
}

/** Posts it to a sidecar and returns the answer; the file is {@link formFile} unless the shape has one. */
export async function postForm(
  url: string,
  credentials: SdkCredentials,
  shape: FormShape = {},
): Promise<string> {
  const {
    key = 'posted',
    further = [],
    fileName,
    change = (fields) => fields,
    changeBody = (body) => body,
  } = shape;
  const own: [string, string][] = [
    ['key', key],
    ...further.map(([name, value]): [string, string] => [name, value]),
  ];
  const conditions = shape.conditions ?? [
    { bucket: 'data' },
    ...own.map(([name, value]) => ['eq', `$${name}`, value]),
  ];
  const signed = signedFields({ credentials, ...shape, conditions });
  const fields = change([...own, ...signed]);
  const body = changeBody(
    formBody({ fields, file: shape.file ?? formFile, ...(fileName === undefined ? {} : { fileName }) }),
  );
  const { host } = new URL(url);
  const headers = { host, 'content-type': formType, 'content-length': String(body.length), ...shape.headers };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `POST ${shape.path ?? '/data'} HTTP/1.1\r\nConnection: close\r\n${lines.join('')}\r\n`;
  return exchange(url, head + body.toString('latin1'));
}
