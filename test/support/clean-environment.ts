/** The variables a child process inherits from the environment of the tests; all others are dropped. */
const INHERITED = ['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'LC_ALL', 'TMPDIR', 'CI'] as const;

/**
 * The environment for a client or server that a test starts: the few variables of `INHERITED`, no AWS settings,
 * proxies, certificate bundles or `NODE_OPTIONS` of the caller, and `extra` on top.
 *
 * The AWS clients' files are pointed at nothing and their instance metadata lookup is off, so that a test uses the
 * credentials it names or none at all: a profile in the home directory could otherwise turn a refusal into a success.
 */
export function cleanEnvironment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of INHERITED) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  environment['AWS_CONFIG_FILE'] = '/dev/null';
  environment['AWS_SHARED_CREDENTIALS_FILE'] = '/dev/null';
  environment['AWS_EC2_METADATA_DISABLED'] = 'true';
  return { ...environment, ...extra };
}
