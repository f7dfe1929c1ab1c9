import type { Asker, Caller } from '../authenticate/caller.ts';
import { accountOf } from '../core/arn.ts';
import { BoundedCache } from '../core/bounded-cache.ts';
import type { Directory } from '../directory/directory.ts';
import type { PolicySets } from '../iam/combine.ts';
import { type CompiledPolicy, compilePolicy } from '../iam/compile.ts';
import { PolicyDocumentError, parsePolicyDocument, parsePolicyText } from '../iam/document.ts';
import type { PolicyPrincipal } from '../iam/query.ts';
import { bucketOfArn } from './bucket-of-arn.ts';

const maxCachedSessionPolicies = 5_000;
/**
 * Bounds their memory, as {@link compiledBytes} and their indexes estimate it. One caller can fill it, so it is a small part
 * of the heap.
 */
const maxCachedBytes = 16 * 1024 * 1024;

/** What an anonymous caller has of its own. */
const noPolicies: PolicySets = { identity: [] };

/** Stands for the policies of a session that has lost one of them. */
const denyEverything: readonly CompiledPolicy[] = [
  compilePolicy(
    parsePolicyDocument({ Statement: { Effect: 'Deny', Action: '*', Resource: '*' } }, 'session'),
    'lost session policy',
  ),
];

/** Finds the policies that apply to a caller, in one directory snapshot. */
export class PolicyGatherer {
  readonly #directory: Directory;
  /** Session policies by their text, and scope-down policies by {@link scopeDownKey}. */
  readonly #kept: BoundedCache<CompiledPolicy> = new BoundedCache({
    maxEntries: maxCachedSessionPolicies,
    maxSize: maxCachedBytes,
    sizeOf: ({ index }, key) => compiledBytes(textOf(key)) + index.maxBytes,
  });

  constructor(directory: Directory) {
    this.#directory = directory;
  }

  /**
   * The identity policies and boundary that the directory holds now, the session policies, and the scope-down policies. If a
   * policy of the session cannot be found or compiled, the session is denied everything: the lost policy may deny what a bucket
   * policy allows.
   */
  gather(asker: Asker): PolicySets {
    if (asker.kind === 'anonymous') return noPolicies;
    const { policies, boundary } = asker.entity;
    return {
      identity: policies,
      boundary: boundary === undefined ? undefined : [boundary],
      session: this.#sessionSet(asker),
      scopeDown: this.#scopeDownSet(asker),
    };
  }

  /** Forgets the compiled session policies. */
  forget(): void {
    this.#kept.clear();
  }

  /** Keeps no compiled session policies any more: another gatherer has taken the place of this one. */
  retire(): void {
    this.#kept.close();
  }

  /** Length of the policies of a session that {@link gather} has to compile; 0 when it has none, or they are kept. */
  charactersToCompile(asker: Asker): number {
    if (!('claims' in asker)) return 0;
    const { policy, scopeDown = [] } = asker.claims;
    let characters = policy === undefined || this.#kept.get(policy) !== undefined ? 0 : policy.length;
    scopeDown.forEach((text, index) => {
      if (this.#kept.get(scopeDownKey(text, index)) === undefined) characters += text.length;
    });
    return characters;
  }

  /** Adds the policy of the bucket that the resource belongs to, if it has one. */
  withBucketPolicy(sets: PolicySets, resourceArn: string): PolicySets {
    const bucket = bucketOfArn(resourceArn);
    const resource = bucket === undefined ? undefined : this.#directory.bucketPolicy(bucket);
    if (resource === undefined) return sets;
    const { identity, boundary, session, scopeDown } = sets;
    return { identity, boundary, session, scopeDown, resource: [resource] };
  }

  #sessionSet(caller: Caller): readonly CompiledPolicy[] | undefined {
    if (caller.kind === 'user' || caller.kind === 'root') return undefined;
    const { claims } = caller;
    if (claims.policy === undefined && claims.policyArns.length === 0) {
      // A federated user has only what its session policies pass on (IAM user guide, "GetFederationToken").
      return caller.kind === 'federated-user' ? [] : undefined;
    }
    const session: CompiledPolicy[] = [];
    for (const arn of claims.policyArns) {
      const managed = this.#directory.managedPolicy(arn);
      if (managed === undefined) return denyEverything;
      session.push(managed);
    }
    if (claims.policy !== undefined) {
      const inline = this.#compile(claims.policy, claims.policy, 'session policy');
      if (inline === undefined) return denyEverything;
      session.push(inline);
    }
    return session;
  }

  #scopeDownSet(caller: Caller): readonly CompiledPolicy[] | undefined {
    const texts = 'claims' in caller ? caller.claims.scopeDown : undefined;
    if (texts === undefined) return undefined;
    const layers = texts.map((text, index) =>
      this.#compile(text, scopeDownKey(text, index), `scope-down policy ${index + 1}`),
    );
    return layers.every((layer) => layer !== undefined) ? layers : denyEverything;
  }

  // `undefined` for a policy that another version of the program accepted and this one does not.
  #compile(text: string, key: string, name: string): CompiledPolicy | undefined {
    const cached = this.#kept.get(key);
    if (cached !== undefined) return cached;
    try {
      const compiled = compilePolicy(parsePolicyText(text, 'session'), name);
      this.#kept.set(key, compiled);
      return compiled;
    } catch (error) {
      if (error instanceof PolicyDocumentError) return undefined;
      throw error;
    }
  }
}

/**
 * A compiled policy bears the name of its layer, so each layer has a key of its own. The key of a session policy is its text, which
 * never begins with a digit: a policy is a JSON object.
 */
function scopeDownKey(text: string, index: number): string {
  return `${index + 1}${text}`;
}

function textOf(key: string): string {
  return /^\d/.test(key) ? key.slice(1) : key;
}

/** An asker in the terms of the Principal element. Temporary credentials of a user count as the user. */
export function policyPrincipal(asker: Asker): PolicyPrincipal {
  if (asker.kind === 'anonymous') return { kind: 'anonymous', accountId: '', arn: '' };
  const { kind, arn, entity } = asker;
  const accountId = accountOf(arn);
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
 * Estimates the memory of a compiled policy without its index in bytes, erring high. A few characters of text can become a matcher of a
 * kilobyte, so the estimate counts certain characters. The text is parsed and serialised first: JSON escapes would hide them.
 */
function compiledBytes(text: string): number {
  const plain = JSON.stringify(JSON.parse(text));
  let bytes = 2 * plain.length;
  for (let index = 0; index < plain.length; index += 1) bytes += bytesOf.get(plain.charCodeAt(index)) ?? 0;
  return bytes;
}

/** Bytes by the character that begins or separates a value, an ARN segment, a wildcard or a variable. */
const bytesOf: ReadonlyMap<number, number> = new Map(
  Object.entries({ '"': 180, ',': 200, ':': 220, '*': 200, '?': 110, $: 150 }).map(([character, bytes]) => [
    character.charCodeAt(0),
    bytes,
  ]),
);
