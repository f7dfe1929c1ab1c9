import { IdentityFault, type IdentityReason } from '../identity-fault.ts';

/** The fault for a verified assertion. `what` begins in lower case and quotes nothing of the assertion. */
export function rejected(reason: IdentityReason, what: string): IdentityFault {
  return new IdentityFault(reason, `Invalid SAML response: ${what}`);
}
