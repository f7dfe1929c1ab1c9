import { parsePolicyText } from '../iam/document.ts';
import type { Path } from './path.ts';
import type { Reading } from './reading.ts';
import { sections } from './sections.ts';
import type { ContainerCredentialsSettings } from './settings.ts';

const path: Path = ['containerCredentials'];

/** Where the session policy of the container credentials endpoint stands. */
export const scopeDownPolicyPath: Path = [...path, 'scopeDownPolicy'];

/** Reads `containerCredentials`; without `listen` the listener is off. */
export function readContainerCredentials(reading: Reading): ContainerCredentialsSettings | undefined {
  const shape = reading.read(path, sections.containerCredentials);
  const isGiven = reading.valueAt(scopeDownPolicyPath) !== undefined;
  const scopeDownPolicy = isGiven ? readScopeDownPolicy(reading) : undefined;
  if (shape === undefined || (isGiven && scopeDownPolicy === undefined)) return undefined;
  const { listen } = shape;
  if (listen === undefined && reading.valueAt(path) !== undefined)
    reading.warn(path, 'without listen this listener is off');
  return {
    ...(listen === undefined ? {} : { listen }),
    ...(scopeDownPolicy === undefined ? {} : { scopeDownPolicy }),
  };
}

/** The policy as a call would send it: what a call could not send must not wait for the first pod. */
function readScopeDownPolicy(reading: Reading): string | undefined {
  const policy = reading.readPolicy(scopeDownPolicyPath, (source) => {
    const text = JSON.stringify(source);
    parsePolicyText(text, 'session');
    return text;
  });
  if (policy === undefined || /^[\t\n\r\x20-\xff]+$/.test(policy)) return policy;
  reading.problem(scopeDownPolicyPath, 'must hold only characters up to U+00FF, as a session policy of STS');
  return undefined;
}
