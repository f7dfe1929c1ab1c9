import { policyVocabulary } from '../app/policy-vocabulary.ts';
import { loadConfiguration } from '../config/load.ts';
import { providerRoleArn } from '../directory/provider-role.ts';
import { exitCodes, type Terminal } from './terminal.ts';

/**
 * Validates a configuration file exactly as start-up does and prints every problem and warning. When strict, a warning
 * is an error.
 */
export function checkConfiguration(path: string, isStrict: boolean, terminal: Terminal): number {
  const loaded = loadConfiguration(path, {}, { vocabulary: policyVocabulary });
  if (!loaded.ok) {
    for (const problem of loaded.problems) terminal.prose(problem);
    terminal.prose(`${path}: ${counted(loaded.problems.length, 'problem')}`);
    return exitCodes.badConfiguration;
  }
  for (const warning of loaded.warnings) terminal.prose(warning);
  if (isStrict && loaded.warnings.length > 0) {
    terminal.prose(`${path}: ${counted(loaded.warnings.length, 'warning')}, and --strict allows none`);
    return exitCodes.badConfiguration;
  }
  const { keys, sealWith } = loaded.settings.tokens;
  const { users, roles, policies, providerRoles } = loaded.directory;
  terminal.prose(
    `${path}: ok (${users.length} users, ${roles.length} roles, ${policies.length} managed policies)`,
  );
  terminal.prose(
    `token keys: ${sealWith} seals, ${keys.map(({ id }) => id).join(' and ')} ${keys.length === 1 ? 'opens' : 'open'}. To rotate, append a key on every replica, then name it in tokens.sealWith; remove the old one when the longest session has expired.`,
  );
  for (const role of providerRoles ?? []) {
    // A claim-mode provider needs no RoleArn.
    if (role.mode === 'claim') continue;
    const arn = providerRoleArn(role, loaded.settings.account.region);
    terminal.prose(`identity provider ${role.provider}: RoleArn ${arn}`);
  }
  return exitCodes.ok;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
