/** A session that another one descends from, as far as revocations name it. */
export interface SessionAncestor {
  readonly sessionId: string;
  /** Seconds since the Unix epoch. */
  readonly issuedAt: number;
  readonly principal: AncestorPrincipal;
  /** ARN of the identity provider of a federated session. */
  readonly provider?: string;
}

/** Whose session it was. */
export type AncestorPrincipal =
  | { readonly kind: 'role-session'; readonly roleArn: string; readonly sessionName: string }
  | { readonly kind: 'user-session'; readonly userArn: string };

/** The claims of a session that its descendants carry. */
interface AncestralClaims {
  readonly sessionId: string;
  readonly issuedAt: number;
  readonly principal:
    | { readonly kind: 'role-session'; readonly roleArn: string; readonly sessionName: string }
    | { readonly kind: 'user-session' | 'federated-user'; readonly userArn: string };
  readonly federation?: { readonly provider: string };
  readonly ancestors?: readonly SessionAncestor[];
}

/** The calling session and its own ancestors: those of a session that it obtains, the nearest one first. */
export function ancestorsOfChild(claims: AncestralClaims): readonly SessionAncestor[] {
  return [asAncestor(claims), ...(claims.ancestors ?? [])];
}

/** A session in the form in which its descendants carry it. */
export function asAncestor({ sessionId, issuedAt, principal, federation }: AncestralClaims): SessionAncestor {
  const whose: AncestorPrincipal =
    principal.kind === 'role-session'
      ? { kind: principal.kind, roleArn: principal.roleArn, sessionName: principal.sessionName }
      : { kind: 'user-session', userArn: principal.userArn };
  const ancestor = { sessionId, issuedAt, principal: whose };
  return federation === undefined ? ancestor : { ...ancestor, provider: federation.provider };
}

/** An ancestor in a token: its id alone when all else is as of the session before it in the list. */
type EncodedAncestor =
  | string
  | readonly [id: string, issuedAt: number, provider: string, arn: string, sessionName?: string];

/** Writes ancestors, the nearest one first. @param own the session that carries them */
export function encodeAncestors(
  ancestors: readonly SessionAncestor[],
  own: SessionAncestor,
): EncodedAncestor[] {
  let descendant = own;
  return ancestors.map((ancestor) => {
    const isSame = sameBut(ancestor, descendant);
    descendant = ancestor;
    return isSame ? ancestor.sessionId : encodeWhole(ancestor);
  });
}

function encodeWhole({ sessionId, issuedAt, principal, provider = '' }: SessionAncestor): EncodedAncestor {
  return principal.kind === 'role-session'
    ? [sessionId, issuedAt, provider, principal.roleArn, principal.sessionName]
    : [sessionId, issuedAt, provider, principal.userArn];
}

function sameBut(one: SessionAncestor, other: SessionAncestor): boolean {
  return (
    JSON.stringify(encodeWhole({ ...one, sessionId: '' })) ===
    JSON.stringify(encodeWhole({ ...other, sessionId: '' }))
  );
}

/** Reads the form that {@link encodeAncestors} writes, strictly. `undefined` for anything else. */
export function decodeAncestors(value: unknown, own: SessionAncestor): SessionAncestor[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const ancestors: SessionAncestor[] = [];
  for (const item of value as readonly unknown[]) {
    const ancestor =
      typeof item === 'string' ? { ...(ancestors.at(-1) ?? own), sessionId: item } : decodeWhole(item);
    if (ancestor === undefined || ancestor.sessionId === '') return undefined;
    ancestors.push(ancestor);
  }
  return ancestors;
}

function decodeWhole(item: unknown): SessionAncestor | undefined {
  if (!Array.isArray(item)) return undefined;
  const [sessionId, issuedAt, provider, arn, sessionName] = item as readonly unknown[];
  if (typeof sessionId !== 'string' || typeof provider !== 'string') return undefined;
  if (typeof issuedAt !== 'number' || !Number.isSafeInteger(issuedAt) || issuedAt <= 0) return undefined;
  if (typeof arn !== 'string' || arn === '') return undefined;
  const voucher = provider === '' ? {} : { provider };
  if (item.length === 4) {
    return { sessionId, issuedAt, principal: { kind: 'user-session', userArn: arn }, ...voucher };
  }
  if (item.length !== 5 || typeof sessionName !== 'string' || sessionName === '') return undefined;
  return { sessionId, issuedAt, principal: { kind: 'role-session', roleArn: arn, sessionName }, ...voucher };
}
