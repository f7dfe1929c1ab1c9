import { describe, expect, it } from 'vitest';
import { ContainerFault } from '../../src/container/container-fault.ts';
import { readContainerRequest } from '../../src/container/read-request.ts';
import { toRawRequest } from '../support/raw-requests.ts';

/** The code of a refusal, or `accepted`. */
function outcomeOf(clientAddress: string, host: string, listenHost: string): string {
  const raw = toRawRequest({
    method: 'GET',
    target: '/v1/credentials?roleArn=arn:aws:iam::123456789012:role/pod',
    headers: [
      ['Host', host],
      ['Authorization', 'token'],
    ],
  });
  if (raw === undefined) throw new Error('the test request cannot be read');
  try {
    readContainerRequest({ ...raw, clientAddress }, listenHost);
    return 'accepted';
  } catch (error) {
    return error instanceof ContainerFault ? error.code : String(error);
  }
}

describe('a request for container credentials', () => {
  it.each([
    ['127.0.0.1', 'localhost:9092', '127.0.0.1'],
    ['127.0.0.9', '127.8.8.8', '127.0.0.1'],
    ['::1', '[::1]:9092', '::1'],
    ['169.254.170.2', '169.254.170.2', '169.254.170.2'],
    ['127.0.0.1', '169.254.170.2:80', '169.254.170.2'],
  ])('from %s to %s is accepted by %s', (clientAddress, host, listenHost) => {
    expect(outcomeOf(clientAddress, host, listenHost)).toBe('accepted');
  });

  it.each([
    ['192.0.2.1', '127.0.0.1'],
    ['169.254.170.2', '127.0.0.1'],
    ['169.254.170.3', '169.254.170.2'],
    ['10.0.0.5', '169.254.170.2'],
    ['fe80::1', '::1'],
    ['::2', '::1'],
    ['', '127.0.0.1'],
  ])('from %s is refused by %s, whatever host it names', (clientAddress, listenHost) => {
    for (const host of ['localhost', listenHost, 'example.com'])
      expect(outcomeOf(clientAddress, host, listenHost)).toBe('ForeignAddress');
  });

  it.each(['169.254.170.2', '169.254.170.2:9092', '169.254.170.23'])(
    'to %s is refused on loopback',
    (host) => {
      expect(outcomeOf('127.0.0.1', host, '127.0.0.1')).toBe('ForeignHost');
    },
  );
});
