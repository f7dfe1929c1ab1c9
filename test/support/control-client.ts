/** An answer of the control listener. */
export interface ControlAnswer {
  readonly status: number;
  readonly body: Record<string, string>;
}

/** Asks the control listener as an operator does. */
export interface ControlClient {
  add(revocation: unknown): Promise<ControlAnswer>;
  list(): Promise<ControlAnswer>;
  remove(id: string | undefined): Promise<ControlAnswer>;
}

export function controlClient(url: string, token: string): ControlClient {
  const ask = async (method: string, path: string, body?: unknown): Promise<ControlAnswer> => {
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as ControlAnswer['body'] };
  };
  return {
    add: (revocation) => ask('POST', '/revocations', revocation),
    list: () => ask('GET', '/revocations'),
    remove: (id = '') => ask('DELETE', `/revocations/${id}`),
  };
}
