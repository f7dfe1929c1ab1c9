import { hash } from 'node:crypto';
import { latin1Bytes } from '../core/bytes.ts';
import { algorithm } from './authorization-header.ts';
import { type CredentialScope, formatScope } from './credential-scope.ts';

/**
 * The string to sign of Signature V4. Header text is latin1 in this process, so hashing latin1 restores the
 * bytes of the wire.
 */
export function stringToSign(timestamp: string, scope: CredentialScope, canonicalRequest: string): string {
  const digest = hash('sha256', latin1Bytes(canonicalRequest), 'hex');
  return `${algorithm}\n${timestamp}\n${formatScope(scope)}\n${digest}`;
}
