import { IdentityFault, type IdentityReason } from '../identity-fault.ts';

/** A fault of a proven assertion; `what` begins lower-case and quotes nothing of it. */
export function rejected(reason: IdentityReason, what: string): IdentityFault {
  return new IdentityFault(reason, `Invalid SAML response: ${what}`);
}
