import { missingEntity } from './entities.ts';
import type { PolicyCheck } from './policy-check.ts';

/** Finds users and roles of this account that the directory does not have. */
export const checkPrincipals: PolicyCheck = ({ awsPrincipals }, policy) => {
  for (const { path, text } of awsPrincipals) {
    const fault = missingEntity(text, policy.surroundings);
    if (fault !== undefined) policy.warn(path, fault);
  }
};
