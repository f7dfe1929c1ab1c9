import { request } from 'node:http';

/** One request to the endpoint. Its path is that of the credentials of the role `pod`, unless it says otherwise. */
export interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string;
}

/** What the endpoint answered. */
export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Readonly<Record<string, string>>;
}

/** Sends one request as it is said. */
export function askEndpoint(
  url: string,
  { method = 'GET', path = '', token, headers = {}, body }: Asked,
): Promise<Answered> {
  const authorization = token === undefined ? {} : { authorization: token };
  // Node's client announces no body of a GET by itself.
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  return new Promise((resolve, reject) => {
    const sending = request(
      `${url}${path}`,
      { method, headers: { ...authorization, ...length, ...headers }, agent: false },
      (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('end', () => {
          const text = Buffer.concat(pieces).toString();
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: text === '' ? {} : (JSON.parse(text) as Record<string, string>),
          });
        });
      },
    );
    sending.on('error', reject);
    sending.end(body);
  });
}
