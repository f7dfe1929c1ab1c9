import type { Caller } from '../authenticate/caller.ts';
import { BoundedCache } from '../core/bounded-cache.ts';
import type { Directory } from '../directory/directory.ts';
import type { PolicySets } from '../iam/combine.ts';
import { type CompiledPolicy, compilePolicy } from '../iam/compile.ts';
import { PolicyDocumentError, parsePolicyDocument, parsePolicyText } from '../iam/document.ts';
import type { PolicyPrincipal } from '../iam/query.ts';
import { bucketOfArn } from './bucket-of-arn.ts';

const maxCachedSessionPolicies = 5_000;
/** What the cached ones may take, as far as {@link compiledBytes} can tell. */
const maxCachedBytes = 32 * 1024 * 1024;

/** Stands for the session policies of which one is lost. */
const denyEverything: readonly CompiledPolicy[] = [
  compilePolicy(
    parsePolicyDocument({ Statement: { Effect: 'Deny', Action: '*', Resource: '*' } }, 'session'),
    'lost session policy',
  ),
];

/** Finds the policies that apply to a caller, in one directory snapshot. */
export class PolicyGatherer {
  readonly #directory: Directory;
  readonly #sessionPolicies: BoundedCache<CompiledPolicy> = new BoundedCache({
    maxEntries: maxCachedSessionPolicies,
    maxSize: maxCachedBytes,
    sizeOf: (_, text) => compiledBytes(text),
  });

  constructor(directory: Directory) {
    this.#directory = directory;
  }

  /**
   * Identity policies and boundary as the directory holds them now, and what the session adds. A session of which a
   * policy cannot be found or compiled is denied everything: that policy may have denied what a bucket policy allows.
   */
  gather(caller: Caller): PolicySets {
    const { policies, boundary } = caller.entity;
    return {
      identity: policies,
      boundary: boundary === undefined ? undefined : [boundary],
      session: this.#sessionSet(caller),
    };
  }

  /** The same sets with the policy of the bucket that a resource is of, when there is one. */
  withBucketPolicy(sets: PolicySets, resourceArn: string): PolicySets {
    const bucket = bucketOfArn(resourceArn);
    const resource = bucket === undefined ? undefined : this.#directory.bucketPolicy(bucket);
    if (resource === undefined) return sets;
    const { identity, boundary, session } = sets;
    return { identity, boundary, session, resource: [resource] };
  }

  #sessionSet(caller: Caller): readonly CompiledPolicy[] | undefined {
    if (caller.kind === 'user' || caller.kind === 'root') return undefined;
    const { claims } = caller;
    if (claims.policy === undefined && claims.policyArns.length === 0) {
      // What nobody passed on to a federated user, it does not have (IAM user guide, "GetFederationToken").
      return caller.kind === 'federated-user' ? [] : undefined;
    }
    const session: CompiledPolicy[] = [];
    for (const arn of claims.policyArns) {
      const managed = this.#directory.managedPolicy(arn);
      if (managed === undefined) return denyEverything;
      session.push(managed);
    }
    if (claims.policy !== undefined) {
      const inline = this.#compile(claims.policy);
      if (inline === undefined) return denyEverything;
      session.push(inline);
    }
    return session;
  }

  // Another version, with other operators, may have sealed it under the same key.
  #compile(text: string): CompiledPolicy | undefined {
    const cached = this.#sessionPolicies.get(text);
    if (cached !== undefined) return cached;
    try {
      const compiled = compilePolicy(parsePolicyText(text, 'session'), 'session policy');
      this.#sessionPolicies.set(text, compiled);
      return compiled;
    } catch (error) {
      if (error instanceof PolicyDocumentError) return undefined;
      throw error;
    }
  }
}

/** A caller in the terms a Principal element can name. Temporary credentials of a user are the user. */
export function policyPrincipal({ kind, arn, entity }: Caller): PolicyPrincipal {
  const [, , , , accountId = ''] = arn.split(':');
  switch (kind) {
    case 'user':
    case 'user-session':
      return { kind: 'user', accountId, arn };
    case 'root':
    case 'root-session':
      return { kind: 'root', accountId, arn };
    case 'federated-user':
    case 'role-session':
      return { kind, accountId, arn, entityArn: entity.arn };
  }
}

/**
 * An estimate of the memory of a compiled policy in bytes, rather too high. The length of its text says little: two characters
 * can become a matcher of a kilobyte. The text is written anew first, because escapes hide the characters that count.
 */
function compiledBytes(text: string): number {
  const plain = JSON.stringify(JSON.parse(text));
  let bytes = 2 * plain.length;
  for (let index = 0; index < plain.length; index += 1) bytes += bytesOf.get(plain.charCodeAt(index)) ?? 0;
  return bytes;
}

/** Bytes for each character that begins or separates something that is compiled: a value, a segment, a wildcard, a variable. */
const bytesOf: ReadonlyMap<number, number> = new Map(
  Object.entries({ '"': 400, ',': 300, ':': 200, '*': 700, '?': 700, $: 100 }).map(([character, bytes]) => [
    character.charCodeAt(0),
    bytes,
  ]),
);
