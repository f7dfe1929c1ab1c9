import type { IncomingMessage } from 'node:http';

/** True for a request with an Upgrade header. Looks at the raw fields, because the object of headers is made when it is first asked for. */
export function hasUpgrade({ rawHeaders }: IncomingMessage): boolean {
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 7 && name.toLowerCase() === 'upgrade') return true;
  }
  return false;
}
