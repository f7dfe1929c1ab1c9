import type { Caller } from '../../authenticate/caller.ts';
import { suggest } from '../../config/suggest.ts';
import { describeProvider } from '../../identity/kinds.ts';
import type { FederatedUser } from '../../sts/grants/trust-question.ts';
import { findCaller } from './find-caller.ts';
import { type Asking, QuestionError, type QuestionField } from './question.ts';
import type { World } from './world.ts';

/** Keys that are always present, with values that only the real token knows. They have to be given, and are never guessed. */
interface Untold {
  readonly untold: readonly string[];
}

/** The caller of a simulated request. */
export type Asker =
  | ({ readonly kind: 'caller'; readonly caller: Caller; readonly arn: string } & Untold)
  | ({ readonly kind: 'anonymous'; readonly arn: '*' } & Untold)
  | ({
      readonly kind: 'federated';
      readonly user: FederatedUser;
      readonly arn: string;
      /** For messages. */
      readonly who: string;
    } & Untold);

/** The caller's keys that were not given. */
export function untoldOf(asker: Asker): readonly string[] {
  return asker.untold;
}

/**
 * Finds the caller in the directory, as the sidecar would after verifying the signature.
 * @throws QuestionError for a principal that does not exist or cannot have a session.
 */
export function findAsker(asking: Asking, world: World, nowMs: number): Asker {
  const { principal, webIdentityProvider, samlProvider } = asking;
  if (webIdentityProvider !== undefined) {
    if (samlProvider !== undefined && principal === undefined) {
      throw notAlone('webIdentityProvider', 'a SAML provider');
    }
    return findHolder('webIdentityProvider', webIdentityProvider, asking, world);
  }
  if (samlProvider !== undefined) return findHolder('samlProvider', samlProvider, asking, world);
  if (principal === undefined) throw new QuestionError('principal', 'is required');
  if (principal === '*') {
    refuseBut([], asking, 'an anonymous caller');
    return { kind: 'anonymous', arn: '*', untold: [] };
  }
  const { caller, admits, who, untold } = findCaller(principal, asking, world, nowMs);
  refuseBut(admits, asking, who);
  return { kind: 'caller', caller, arn: caller.arn, untold };
}

function notAlone(field: keyof typeof proofs, other: string): QuestionError {
  return new QuestionError(field, `cannot be combined with ${other}: ${proofs[field].because}`);
}

const sessionParts = 'needs the session of a role or a federated user';

/** What each optional part of a question requires. */
const places: Readonly<Partial<Record<QuestionField, string>>> = {
  sessionToken: 'needs a user or root, whose temporary credentials these are',
  mfaAgeSeconds: 'needs the temporary credentials of a user or of root',
  federatedBy: 'needs a federated user',
  policyNames: 'needs a session of the claim-mode provider',
  sessionPolicy: sessionParts,
  sessionPolicyArns: sessionParts,
  scopeDown: 'needs temporary credentials',
  tags: sessionParts,
};

function refuseBut(admitted: readonly QuestionField[], asking: Asking, who: string): void {
  const { sessionToken = false, policyNames = [], sessionPolicyArns, scopeDown, tags } = asking;
  const given: readonly (readonly [field: QuestionField, isGiven: boolean])[] = [
    ['sessionToken', sessionToken],
    ['mfaAgeSeconds', asking.mfaAgeSeconds !== undefined],
    ['federatedBy', asking.federatedBy !== undefined],
    ['policyNames', policyNames.length > 0],
    ['sessionPolicy', asking.sessionPolicy !== undefined],
    ['sessionPolicyArns', sessionPolicyArns.length > 0],
    ['scopeDown', scopeDown.length > 0],
    ['tags', tags.length > 0],
  ];
  for (const [field, isGiven] of given) {
    if (!isGiven || admitted.includes(field)) continue;
    throw new QuestionError(field, `${places[field]}: ${who} has none`);
  }
}

/** The questions about holders of a proof, by the part that names the provider. */
const proofs = {
  webIdentityProvider: {
    form: 'webIdentity',
    kind: 'web-identity',
    because: 'the token names the caller',
    what: 'a web identity',
    who: 'a web identity',
  },
  samlProvider: {
    form: 'saml',
    kind: 'saml',
    because: 'the assertion names the caller',
    what: 'a SAML assertion',
    who: 'the holder of a SAML assertion',
  },
} as const;

function findHolder(field: keyof typeof proofs, text: string, asking: Asking, world: World): Asker {
  const { form, kind, what, who } = proofs[field];
  if (asking.principal !== undefined) throw notAlone(field, 'a principal');
  refuseBut([], asking, what);
  const { account, identityProviders } = world.settings;
  const providers = identityProviders.flatMap((one) => {
    const { form: own, principal, role } = describeProvider(one);
    return own === form && principal !== undefined ? [{ name: one.name, principal, role }] : [];
  });
  const meant = providers.filter(({ name, principal }) =>
    [name, principal.issuer, principal.arnIn(account)].includes(text),
  );
  const principal = meant.find(({ role }) => role === undefined)?.principal;
  if (principal !== undefined) {
    const arn = principal.arnIn(account);
    const { known = [], untold = [] } = principal.keysIn?.(account) ?? {};
    return { kind: 'federated', user: { kind, providerArn: arn, conditionKeys: known }, arn, who, untold };
  }
  const shown = JSON.stringify(text.slice(0, 256));
  if (meant.length > 0) {
    const why = 'has a role of its own, and its users assume no role of the directory';
    throw new QuestionError(field, `${shown} ${why}`);
  }
  const names = providers.flatMap(({ name, principal: { issuer } }) => [name, issuer]);
  throw new QuestionError(field, `no identity provider is ${shown}${suggest(text, names)}`);
}
