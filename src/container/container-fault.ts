/** Code, status and text of each refusal of the listener itself. Those of the token and the role are codes of STS. */
const table = {
  MalformedRequest: [400, 'the request could not be read'],
  MissingAuthenticationToken: [
    401,
    'the Authorization header must hold the token of the pod and nothing else',
  ],
  ForeignAddress: [403, 'only processes of this host are answered'],
  ForeignHost: [403, 'the Host header must name the loopback address that the listener has'],
  NotFound: [404, 'there is only /v1/credentials'],
  MethodNotAllowed: [405, 'there is only GET'],
} as const satisfies Readonly<Record<string, readonly [status: number, text: string]>>;

/** Why the container credentials endpoint refuses a request before it looks at its token. */
export type ContainerFaultCode = keyof typeof table;

/** Every code with its HTTP status and text. */
export const containerFaults: Readonly<Record<ContainerFaultCode, readonly [status: number, text: string]>> =
  table;

/** A request that is refused before its token is looked at. */
export class ContainerFault extends Error {
  override readonly name = 'ContainerFault';
  readonly code: ContainerFaultCode;

  constructor(code: ContainerFaultCode, message: string = table[code][1]) {
    super(message);
    this.code = code;
  }
}
