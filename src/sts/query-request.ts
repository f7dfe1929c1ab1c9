import { flatCopy } from '../core/bytes.ts';
import type { RawRequest } from '../core/raw-request.ts';
import { parseQuery, type QueryParameter } from '../core/request-target.ts';
import { stsError } from './errors.ts';

/** Largest accepted body, in bytes. A request with every parameter at its limit is far smaller. */
export const maxStsBodyBytes: number = 256 * 1024;

const maxParameters = 1000;
/** The only version of the API. */
export const apiVersion = '2011-06-15';
/** Characters of an unknown action in the log. */
const maxLoggedAction = 64;
const formType = 'application/x-www-form-urlencoded';

/** The parameters of one STS request, from query and body. Nothing about its caller is verified yet. */
export interface StsCall {
  /** As sent. There may be no such action. */
  readonly action: string;
  /** Every parameter by its exact name, `Action` and `Version` included. */
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * True for a request to STS rather than S3: its path is exactly `/`, and it names an `Action` in the query, carries a form, or
 * is signed for the service `sts`. No S3 operation on `/` takes an `Action` or a form. The caller checks that the Host names no
 * bucket.
 */
export function isStsRequest(raw: RawRequest): boolean {
  if (raw.path !== '/') return false;
  return raw.parameters.some(({ name }) => name === 'Action') || carriesForm(raw) || isSignedForSts(raw);
}

function carriesForm(raw: RawRequest): boolean {
  if (mediaType(raw) !== formType) return false;
  if (raw.method === 'POST') return true;
  const length = raw.headers.get('content-length') ?? '0';
  return raw.method === 'GET' && (length !== '0' || raw.headers.has('transfer-encoding'));
}

function isSignedForSts(raw: RawRequest): boolean {
  const header = /Credential=([^,\s]+)/.exec(raw.headers.get('authorization') ?? '')?.[1];
  const query = raw.parameters.find(({ name }) => name === 'X-Amz-Credential')?.value;
  return (header ?? query)?.endsWith('/sts/aws4_request') ?? false;
}

function mediaType(raw: RawRequest): string | undefined {
  return raw.headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
}

/**
 * Reads the parameters of query and body, and checks the API version.
 * @throws ServiceError MethodNotAllowed, RequestEntityTooLarge, MalformedQueryString, InvalidQueryParameter for a repeated
 * name, ValidationError for too many parameters, MissingAction, or InvalidAction for another version
 */
export function readStsCall(raw: RawRequest, body: Uint8Array): StsCall {
  if (raw.method !== 'POST' && raw.method !== 'GET') throw stsError('MethodNotAllowed');
  requireNames(raw.parameters);
  const parameters = joinParameters([...raw.parameters, ...readForm(raw, body)]);
  const action = parameters.get('Action') ?? '';
  if (action === '') throw stsError('MissingAction');
  const version = parameters.get('Version') ?? 'NO_VERSION_SPECIFIED';
  if (version !== apiVersion) throw unknownOperation(action, version);
  return { action, parameters };
}

/** InvalidAction in AWS's words. The log names the action too. */
export function unknownOperation(action: string, version: string = apiVersion): Error {
  const ofVersion =
    version === apiVersion ? '' : ` in version ${version.slice(0, 32).replaceAll(/[^\w-]/g, '')}`;
  const detail = flatCopy(`no action is named ${lettersAndDigits(action)}${ofVersion}`);
  const message = `Could not find operation ${action.slice(0, 128)} for version ${version.slice(0, 32)}`;
  return stsError('InvalidAction', message, { detail });
}

function lettersAndDigits(text: string): string {
  return text
    .slice(0, 2 * maxLoggedAction)
    .replaceAll(/[^A-Za-z0-9]/g, '')
    .slice(0, maxLoggedAction);
}

function readForm(raw: RawRequest, body: Uint8Array): readonly QueryParameter[] {
  if (body.length > maxStsBodyBytes) throw stsError('RequestEntityTooLarge');
  if (body.length === 0) return [];
  const type = mediaType(raw);
  if (type !== undefined && type !== formType) {
    throw stsError('MalformedQueryString', `The request body must be ${formType}.`);
  }
  const text = Buffer.from(body).toString('latin1');
  // Counted before decoding: a body can hold a hundred thousand parameters.
  if (text.split('&').length > maxParameters) throw tooManyParameters();
  const form = parseQuery(text);
  if (form === undefined) throw stsError('MalformedQueryString');
  requireNames(form);
  if (!form.every(({ hasValue }) => hasValue)) throw stsError('MalformedQueryString');
  return form;
}

/** Refuses names such as `a[x]`, which some form parsers read as a structure. */
function requireNames(parameters: readonly QueryParameter[]): void {
  if (!parameters.every(({ name }) => /^[\w.-]+$/.test(name))) throw stsError('MalformedQueryString');
}

function joinParameters(all: readonly QueryParameter[]): ReadonlyMap<string, string> {
  if (all.length > maxParameters) throw tooManyParameters();
  const parameters = new Map<string, string>();
  for (const { name, value } of all) {
    // With two values for one name, another component may check one of them while this one uses the other.
    if (parameters.has(name)) {
      throw stsError('InvalidQueryParameter', `The parameter ${name.slice(0, 128)} occurs more than once.`);
    }
    parameters.set(name, value);
  }
  return parameters;
}

function tooManyParameters(): Error {
  return stsError('ValidationError', `The request has more than ${maxParameters} parameters.`);
}
