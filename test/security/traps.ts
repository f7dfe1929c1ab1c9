import { amplificationTraps } from './amplification-traps.ts';
import { bodyTraps } from './body-traps.ts';
import { exhaustionTraps } from './exhaustion-traps.ts';

/** A failure of other systems, and the tests that keep it out of this one. */
export interface Trap {
  readonly trap: string;
  /** A test file, and the title of a test in it as it is written there. */
  readonly tests: readonly (readonly [file: string, title: string])[];
}

/** One operation authorized, another performed; two readers of one request that disagree. */
const confusedDeputy: readonly Trap[] = [
  {
    trap: 'headers of copies, ACLs, tags or encryption added to a signed or presigned request',
    tests: [
      ['sigv4/verify.test.ts', 'rejects an unsigned %s header that arrived with a signed request'],
      ['sigv4/presigned.test.ts', 'with %s added is refused'],
      ['e2e/presigned.test.ts', 'loses none of them to an unsigned Connection header'],
    ],
  },
  {
    trap: 'a parameter that is ignored next to one that counts',
    tests: [
      [
        'security/differentials.test.ts',
        'lists by the prefix that was decided on, not by one that only looks alike',
      ],
    ],
  },
  {
    trap: 'selectors of two operations in one request, a copy source where there is no copy',
    tests: [
      ['s3/foreign-selectors.test.ts', '%s is refused, or is the other operation altogether'],
      ['security/differentials.test.ts', 'is refused: %j'],
      ['s3/strangers.test.ts', 'is refused with a repeated parameter, however it is written'],
    ],
  },
  {
    trap: 'a store that does not know the selector and does what the request says without it',
    tests: [
      ['e2e/unknown-selectors.test.ts', 'is not asked to change or delete anything'],
      ['interop/stores/foreign-selectors.test.ts', 'of $name does nothing that another operation does'],
    ],
  },
  {
    trap: 'multi-deletes read differently by their content type or encoding',
    tests: [['security/laundering.test.ts', 'is not asked to delete by a document with %s']],
  },
  {
    trap: 'the bucket of the host authorized, that of the path forwarded',
    tests: [['s3/route.test.ts', 'reads the same bucket and key from path style and virtual-host style']],
  },
  {
    trap: 'an encoded slash that separates bucket and key',
    tests: [['s3/route.test.ts', 'an encoded slash in the bucket']],
  },
  { trap: 'a copy source decoded twice', tests: [['s3/copy-source.test.ts', '%s is read once']] },
  {
    trap: 'keys, prefixes and ids that a store takes for paths',
    tests: [
      ['e2e/keys-as-paths.test.ts', 'does not bypass a Deny: %s'],
      ['security/paths-in-requests.test.ts', 'never reach it: %s %j'],
    ],
  },
  {
    trap: 'names that stores keep for themselves, which no policy guards',
    tests: [
      [
        'security/stores-own-names.test.ts',
        'is never requested, even for a caller who may do everything else: %s',
      ],
      ['s3/store-names.test.ts', 'is not a key: %s'],
      ['interop/stores/behaviour.test.ts', 'does not show $title'],
    ],
  },
  {
    trap: 'conditions that a store ignores',
    tests: [
      ['security/stores-own-names.test.ts', 'cannot be bypassed with a store that ignores it: %s'],
      ['s3/conditions.test.ts', 'is sent only where `backend.supports` names %s: %j'],
      ['interop/stores/behaviour.test.ts', 'is not asked to ignore $condition of $operation'],
    ],
  },
  {
    trap: 'a base host that is a bucket of another, by the order of a list',
    tests: [['s3/route.test.ts', 'takes the longest base host, whatever their order: %j']],
  },
  {
    trap: 'credentials in the header and in the query at once, a presigned URL with a foreign Authorization',
    tests: [['security/laundering.test.ts', 'a request with two kinds of credentials']],
  },
  {
    trap: 'repeated query values signed in one order and read in another',
    tests: [['sigv4/verify.test.ts', 'accepts repeated query values in either order']],
  },
  {
    trap: 'internal headers, underscores and X-Forwarded-* believed from every client',
    tests: [
      ['edge/trusted-proxies.test.ts', 'cannot be chosen when no proxy is trusted'],
      ['edge/trusted-proxies.test.ts', 'is not read from a header spelled with underscores'],
      ['e2e/source-address.test.ts', 'are the peer’s everywhere else, whatever the headers say'],
      [
        's3/strangers.test.ts',
        'forwards no header of one hop, none without a meaning, and none that stores ignore',
      ],
    ],
  },
  {
    trap: 'a second request hidden in the body of a delete or a read',
    tests: [
      ['e2e/bad-requests.test.ts', 'rejects a chunked body on a delete'],
      [
        'e2e/bad-requests.test.ts',
        'rejects a length together with chunked encoding, so that no second request can hide in the body',
      ],
    ],
  },
  {
    trap: 'an absolute-form target, a second Host',
    tests: [
      ['sigv4/verify.test.ts', 'rejects an absolute-form target and NUL'],
      ['e2e/bad-requests.test.ts', 'two hosts'],
    ],
  },
];

/** Credentials that prove too much, policies that mean more than they say. */
const tokensAndPolicy: readonly Trap[] = [
  {
    trap: 'a secret that can be computed from what the token shows',
    tests: [
      ['tokens/tokens.test.ts', 'show nothing of their claims'],
      ['tokens/tokens.test.ts', 'differ between two sessions forced onto one access key id'],
    ],
  },
  {
    trap: 'a token used with the key of another session',
    tests: [
      ['sts/own-sessions.test.ts', 'of different kinds cannot be exchanged: a token names its key'],
      ['e2e/own-sessions.test.ts', 'does not work without its token, or with the token of another session'],
    ],
  },
  {
    trap: 'a token of one purpose used for another',
    tests: [
      ['tokens/authorization-message.test.ts', 'are not session tokens, and session tokens are not messages'],
    ],
  },
  {
    trap: 'a claim that is missing, a star or a variable inside a resource',
    tests: [
      ['e2e/web-identity.test.ts', 'gains nothing from the subject %s'],
      ['e2e/web-identity-tags.test.ts', 'that look like a wildcard or a variable are taken literally'],
    ],
  },
  {
    trap: 'a duration below what is allowed',
    tests: [['sts/own-sessions.test.ts', 'refuses to last %s seconds']],
  },
  {
    trap: 'an empty list of audiences that means everyone',
    tests: [['config/identity-providers.test.ts', 'clientIds: must not be empty: nothing would be accepted']],
  },
  {
    trap: 'HS256 with a public secret, no algorithm at all',
    tests: [
      [
        'identity/provider-contract.ts',
        'refuses HS256 with the public key, the key set or a client secret as its secret',
      ],
      ['identity/provider-contract.ts', 'refuses no algorithm in any spelling'],
    ],
  },
  {
    trap: 'a key that the token itself points to, or of another type than its algorithm',
    tests: [
      ['identity/provider-contract.ts', 'ignores keys and addresses that the token brings along'],
      ['identity/provider-contract.ts', 'refuses an algorithm that the key was not made for'],
    ],
  },
  {
    trap: 'an issuer that is not compared',
    tests: [['identity/provider-contract.ts', 'refuse an issuer that differs by a slash or in case']],
  },
  {
    trap: 'unknown key ids that are never, or always, looked for',
    tests: [
      [
        'identity/provider-contract.ts',
        'are fetched again for an unknown key id, so that rotation just works',
      ],
      ['identity/provider-contract.ts', 'are fetched for made-up key ids at most once in 30 seconds'],
    ],
  },
  {
    trap: 'a session cut to the minutes that an id token has left',
    tests: [['e2e/web-identity.test.ts', 'outlives its token, up to the maximum of the role']],
  },
  { trap: 'a Deny lost when roles are chained', tests: [['sts/role-chaining.test.ts', 'lets any deny win']] },
  {
    trap: 'no policies that mean everything',
    tests: [
      ['e2e/own-sessions.test.ts', 'does nothing without a session policy, unless a bucket policy names it'],
    ],
  },
  {
    trap: 'operators that are not known and count as true',
    tests: [['e2e/sts-wire.test.ts', 'DateBefore']],
  },
  {
    trap: 'patterns that never finish',
    tests: [
      ['iam/hostile-policies.test.ts', 'are decided within the budget of a decision: %s'],
      ['iam/budget.test.ts', 'decide on the longest key within the budget: %s'],
      ['authorize/long-batches.test.ts', 'leaves room for other work between slices, %d at a time'],
      ['security/hostile-session-policy.test.ts', 'is decided, and other requests meanwhile'],
    ],
  },
  {
    trap: 'a one-time code used twice',
    tests: [
      ['sts/mfa.test.ts', 'are valid once, for all actions together'],
      ['sts/mfa.test.ts', 'are valid once when they are sent many times at once'],
      ['interop/redis-replicas.test.ts', 'take a one-time code once, and lock a device together'],
    ],
  },
  {
    trap: 'guesses of one-time codes, one after the other or all at once',
    tests: [
      ['sts/mfa.test.ts', 'lock their device for five minutes after five wrong ones in five minutes'],
      ['state/state-contract.ts', 'that arrive many at once are limited to five'],
    ],
  },
  {
    trap: 'a session that goes on after it was revoked, or while that is unknown',
    tests: [
      ['e2e/revocation.test.ts', '%j ends the sessions it names and no others, until it is deleted'],
      [
        'interop/redis-replicas.test.ts',
        'keeps what was known valid up to the staleness limit, then sessions are refused',
      ],
      ['interop/redis-replicas.test.ts', 'gets the revocations back from the replicas that know them'],
    ],
  },
  {
    trap: 'a mistyped revocation that ends nothing',
    tests: [
      ['config/state.test.ts', 'no role has this name (did you mean'],
      ['control/control-server.test.ts', 'refuses %s and says what is wrong'],
    ],
  },
  {
    trap: 'a session token that opens the door of operators',
    tests: [['control/control-server.test.ts', 'refuses the credentials of a session']],
  },
  {
    trap: 'an assertion replayed',
    tests: [
      ['identity/saml/claims.test.ts', 'is refused from then on, in whatever response it comes'],
      [
        'sts/saml-redemption.test.ts',
        'gives credentials to one of many requests at once, also beside those that are refused',
      ],
      ['interop/redis-replicas.test.ts', 'take an assertion once'],
    ],
  },
  {
    trap: 'an XML signature wrapped, two assertions of which the unsigned one is read',
    tests: [
      ['identity/saml/signature-wrapping.test.ts', 'a signature that was wrapped'],
      ['identity/saml/signature-wrapping.test.ts', 'one assertion too many'],
    ],
  },
  {
    trap: 'a comment inside a name',
    tests: [['identity/saml/claims.test.ts', 'is never altered by a comment']],
  },
  {
    trap: 'DOCTYPE and entities',
    tests: [
      ['identity/saml/form.test.ts', 'a document that is not of the accepted form'],
      ['s3/hostile-documents.test.ts', 'is refused with %s'],
    ],
  },
];

/** Signatures, bodies and sizes, where they concern who is asking and what was signed. */
const requests: readonly Trap[] = [
  {
    trap: 'any single byte of a signed request changed',
    tests: [
      ['property/signature-mutation.test.ts', 'any single byte'],
      ['sigv4/presigned.test.ts', 'rejects a presigned request in which any single byte was changed'],
    ],
  },
  {
    trap: 'Authorization without spaces, metadata that is not ASCII',
    tests: [
      ['sigv4/verify.test.ts', 'accepts an authorization header without spaces after the commas'],
      ['sigv4/verify.test.ts', 'accepts non-ASCII metadata, also where a UTF-8 byte looks like a space'],
    ],
  },
  {
    trap: 'presigned URLs that outlive what they say, or their session',
    tests: [['sigv4/presigned.test.ts', 'is valid for as long as it says, from its own time on']],
  },
  {
    trap: 'ten thousand parameters, tokens of 20 KB, oversized forms, deep documents',
    tests: [
      ['security/differentials.test.ts', 'cannot have ten thousand parameters'],
      ['security/differentials.test.ts', 'cannot have a token of 20 KB'],
      ['e2e/sts-wire.test.ts', 'an oversize body'],
      ['core/xml.test.ts', 'a document of many tags'],
    ],
  },
  {
    trap: 'strangers who fill a cache',
    tests: [['security/laundering.test.ts', 'leaves nothing in the signing key cache']],
  },
];

/** What stores do with a request, and with the connection that it came on. */
const stores: readonly Trap[] = [
  {
    trap: 'a store that keeps what came of an upload whose connection ended in order',
    tests: [
      ['forward/broken-uploads.test.ts', 'whose client goes away after %i percent is reset at the store'],
      ['http-client/request-bodies.test.ts', 'is reset, never ended in order'],
      ['interop/stores/broken-uploads.test.ts', 'keeps nothing of an upload ($name)'],
    ],
  },
  {
    trap: 'a store that says 200 before it has the body',
    tests: [
      ['forward/broken-uploads.test.ts', 'fails although the store has reported success'],
      ['forward/broken-uploads.test.ts', 'is a failure when the store then hangs up'],
    ],
  },
  {
    trap: 'a store that refuses early and resets the connection under the rest of the upload',
    tests: [
      ['forward/broken-uploads.test.ts', 'reaches the client, 30 times out of 30, though the store resets'],
      ['interop/stores/broken-uploads.test.ts', 'refuses early, and the refusal arrives 30 times out of 30'],
    ],
  },
  {
    trap: 'a session that ends while its upload is on its way',
    tests: [
      ['e2e/sessions-that-end-meanwhile.test.ts', 'a session that is revoked while its body comes'],
      [
        'interop/stores/ended-sessions.test.ts',
        'keeps nothing of an upload whose session is revoked meanwhile',
      ],
      ['interop/stores/ended-sessions.test.ts', 'keeps nothing of an upload whose session expires meanwhile'],
    ],
  },
  {
    trap: '100 Continue before 200',
    tests: [['forward/store-answers.test.ts', 'with 100 Continue before the answer is understood']],
  },
  {
    trap: 'a write repeated after the store had executed it',
    tests: [['forward/store-answers.test.ts', '%s: retried only if it reads']],
  },
  {
    trap: 'an answer that the client and the sidecar read in two ways',
    tests: [
      [
        'http-client/answers.test.ts',
        'an answer that could be read in two ways, or is malformed, is refused',
      ],
      [
        'property/http-answers.test.ts',
        'reads what it accepts as Node’s own parser does, and accepts nothing else',
      ],
      ['forward/store-answers.test.ts', 'that could be read in two ways (%s) is ServiceUnavailable'],
    ],
  },
  {
    trap: 'bodies in chunks of one byte, an object of memory for each',
    tests: [
      ['forward/whole-bodies.test.ts', 'and comes in %i chunks of one byte'],
      [
        'forward/tiny-chunks.test.ts',
        'of one byte is refused after a thousand of them, and is never complete at the store',
      ],
    ],
  },
];

export const traps: readonly Trap[] = [
  ...confusedDeputy,
  ...tokensAndPolicy,
  ...requests,
  ...stores,
  ...bodyTraps,
  ...exhaustionTraps,
  ...amplificationTraps,
];
