/** An error code of the control listener. */
export type ControlFaultCode =
  | 'Unauthorized'
  | 'NotFound'
  | 'NoSuchRevocation'
  | 'MethodNotAllowed'
  | 'BodyTooLarge'
  | 'UnsupportedMediaType'
  | 'InvalidJson'
  | 'InvalidRevocation'
  | 'TooManyRevocations'
  | 'InternalError'
  | 'StateUnavailable';

/** HTTP status and text of each error of the control listener. */
export const controlFaults: Readonly<Record<ControlFaultCode, readonly [status: number, text: string]>> = {
  Unauthorized: [401, 'the bearer token of control.token is required'],
  NotFound: [404, 'there is /revocations and /revocations/<id>'],
  NoSuchRevocation: [404, 'no run-time revocation has this id'],
  MethodNotAllowed: [405, 'GET or POST /revocations, DELETE /revocations/<id>'],
  BodyTooLarge: [413, 'the body is too large'],
  UnsupportedMediaType: [415, 'the content type must be application/json'],
  InvalidJson: [400, 'the body is not JSON'],
  InvalidRevocation: [400, 'the revocation is not valid'],
  TooManyRevocations: [409, 'there are too many run-time revocations; delete some, or use the configuration'],
  InternalError: [500, 'the request could not be answered'],
  StateUnavailable: [503, 'the shared state is not available: nothing may have changed, ask again'],
};

/** A refused request to the control listener. */
export class ControlFault extends Error {
  override readonly name = 'ControlFault';
  readonly code: ControlFaultCode;

  constructor(code: ControlFaultCode, message: string = controlFaults[code][1]) {
    super(message);
    this.code = code;
  }
}
