import { isLoopbackHost } from '../core/loopback.ts';
import type { RawRequest } from '../core/raw-request.ts';
import type { SentParameters } from '../sts/parameters.ts';
import { ContainerFault } from './container-fault.ts';

const path = '/v1/credentials';

/** Parameters of the URL, with those of AssumeRoleWithWebIdentity that they mean. */
const parameters: ReadonlyMap<string, string> = new Map([
  ['roleArn', 'RoleArn'],
  ['roleSessionName', 'RoleSessionName'],
  ['durationSeconds', 'DurationSeconds'],
]);

/**
 * Reads a request for credentials as a call of AssumeRoleWithWebIdentity. Who sends it, and to which name, comes first: a page in a
 * browser reaches a loopback address by a name of its own (DNS rebinding), and learns nothing else.
 * @param listenHost the address of the listener: a loopback one, or one that only this host has
 * @throws ContainerFault
 */
export function readContainerRequest(raw: RawRequest, listenHost: string): SentParameters {
  const isOwn = (host: string): boolean => isLoopbackHost(host) || host === listenHost;
  if (!isOwn(raw.clientAddress)) throw new ContainerFault('ForeignAddress');
  if (!isOwn(withoutPort(raw.headers.get('host') ?? ''))) throw new ContainerFault('ForeignHost');
  if (raw.path !== path) throw new ContainerFault('NotFound');
  if (raw.method !== 'GET') throw new ContainerFault('MethodNotAllowed');
  if (raw.headers.has('transfer-encoding') || (raw.headers.get('content-length') ?? '0') !== '0') {
    throw new ContainerFault('MalformedRequest', 'the request must not have a body');
  }
  return new Map([['WebIdentityToken', tokenOf(raw)], ...queryOf(raw)]);
}

function withoutPort(host: string): string {
  return host.replace(/:\d{1,5}$/, '');
}

/** The header holds what stands in the token file, without a scheme. */
function tokenOf({ headers }: RawRequest): string {
  const [token = '', ...others] = headers.getAll('authorization');
  if (token === '') throw new ContainerFault('MissingAuthenticationToken');
  if (others.length > 0)
    throw new ContainerFault('MalformedRequest', 'there are several Authorization headers');
  return token;
}

function queryOf(raw: RawRequest): readonly (readonly [name: string, value: string])[] {
  const seen = new Set<string>();
  return raw.parameters.map(({ name, value }) => {
    const meant = parameters.get(name);
    if (meant === undefined) {
      const known = [...parameters.keys()].join(', ');
      throw new ContainerFault(
        'MalformedRequest',
        `the URL has an unknown parameter; there are only ${known}`,
      );
    }
    if (seen.has(name)) throw new ContainerFault('MalformedRequest', `the URL has ${name} twice`);
    seen.add(name);
    return [meant, value];
  });
}
