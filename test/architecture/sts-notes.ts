/** What docs/sts.md says of one parameter: the values it takes, and the tests that try it, as paths below `test/`. */
export interface ParameterNote {
  readonly takes: string;
  readonly tests: readonly string[];
  /** True for a parameter that is checked and then refused. */
  readonly isRefused?: boolean;
}

/** Every action with its parameters, in the order of the page. An action without parameters has one note, `none`. */
export const parameterNotes: Readonly<Record<string, Readonly<Record<string, ParameterNote>>>> = {
  AssumeRole: {
    RoleArn: { takes: 'required; 20–2048 characters', tests: ['sts/assume-role'] },
    RoleSessionName: { takes: 'required; 2–64 of `\\w+=,.@-`', tests: ['sts/assume-role'] },
    PolicyArns: { takes: 'at most 10', tests: ['sts/session-policies'] },
    Policy: {
      takes: 'at most 2,048 characters together with the ARNs',
      tests: ['sts/session-policies', 'e2e/credential-vending'],
    },
    DurationSeconds: {
      takes: "900 to the role's maximum; 3,600 when chaining",
      tests: ['sts/assume-role', 'sts/role-chaining'],
    },
    Tags: {
      takes: 'at most 50; need `sts:TagSession`, of the caller too where the trust policy names the account',
      tests: ['sts/session-tags', 'sts/delegated-tags'],
    },
    TransitiveTagKeys: { takes: 'at most 50, each the key of a tag', tests: ['sts/session-tags'] },
    ExternalId: { takes: 'compared by the trust policy as `sts:ExternalId`', tests: ['sts/assume-role'] },
    SerialNumber: { takes: 'together with `TokenCode`', tests: ['sts/mfa'] },
    TokenCode: { takes: 'six digits, accepted once', tests: ['sts/mfa'] },
    SourceIdentity: {
      takes: 'needs `sts:SetSourceIdentity`, of the caller too where the trust policy names the account',
      tests: ['sts/session-tags', 'sts/delegated-tags'],
    },
    ProvidedContexts: {
      takes: 'validated, then refused with `ValidationError`',
      tests: ['sts/parameters'],
      isRefused: true,
    },
    MinimumSessionTokenSize: {
      takes: '0–4,096; the token is padded to at least that many bytes',
      tests: ['e2e/token-sizes'],
    },
  },
  AssumeRoleWithWebIdentity: {
    WebIdentityToken: {
      takes: 'required; 4–20,000 characters; white space at its end is ignored',
      tests: ['e2e/web-identity', 'identity/token-ends'],
    },
    RoleArn: {
      takes: "required, except in MinIO's claim mode",
      tests: ['e2e/web-identity', 'e2e/minio-modes'],
    },
    RoleSessionName: {
      takes: "required, except in MinIO's modes",
      tests: ['e2e/web-identity', 'e2e/minio-modes'],
    },
    PolicyArns: { takes: 'as in `AssumeRole`', tests: ['e2e/web-identity'] },
    Policy: { takes: 'as in `AssumeRole`', tests: ['e2e/web-identity'] },
    DurationSeconds: {
      takes: "900 to the role's maximum; in MinIO's modes 900 seconds to 365 days",
      tests: ['e2e/web-identity', 'e2e/minio-modes'],
    },
    WebIdentityAccessToken: {
      takes: 'for UserInfo (a MinIO extension)',
      tests: ['sts/provider-sessions', 'e2e/minio-modes'],
    },
    ProviderId: {
      takes: 'refused with `InvalidIdentityToken`',
      tests: ['e2e/web-identity'],
      isRefused: true,
    },
    MinimumSessionTokenSize: {
      takes: '0–4,096; the token is padded to at least that many bytes',
      tests: ['e2e/token-sizes'],
    },
  },
  AssumeRoleWithSAML: {
    RoleArn: {
      takes: "required; paired with `PrincipalArn` in the assertion's `Role` attribute",
      tests: ['e2e/saml'],
    },
    PrincipalArn: { takes: 'required; the ARN of the SAML provider', tests: ['e2e/saml'] },
    SAMLAssertion: {
      takes: 'required; 4–100,000 characters of base64, gives credentials once',
      tests: ['e2e/saml'],
    },
    PolicyArns: { takes: 'as in `AssumeRole`', tests: ['e2e/saml'] },
    Policy: { takes: 'as in `AssumeRole`', tests: ['e2e/saml'] },
    DurationSeconds: {
      takes: "shortened to the assertion's `SessionDuration` and `SessionNotOnOrAfter`",
      tests: ['e2e/saml'],
    },
    MinimumSessionTokenSize: {
      takes: '0–4,096; the token is padded to at least that many bytes',
      tests: ['e2e/token-sizes'],
    },
  },
  AssumeRoleWithCustomToken: {
    Token: {
      takes:
        'required; 1–20,000 characters, at most 32 KiB when encoded for the query; passed to the webhook',
      tests: ['e2e/custom-token'],
    },
    RoleArn: { takes: "required; the generated ARN of the webhook's role", tests: ['e2e/custom-token'] },
    DurationSeconds: {
      takes: '900 to `maxValiditySeconds`, which is the default',
      tests: ['e2e/custom-token'],
    },
  },
  GetSessionToken: {
    DurationSeconds: {
      takes: '900–129,600, default 43,200; at most 3,600 for root',
      tests: ['sts/own-sessions'],
    },
    SerialNumber: { takes: 'together with `TokenCode`', tests: ['sts/mfa'] },
    TokenCode: { takes: 'six digits, accepted once', tests: ['sts/mfa'] },
    MinimumSessionTokenSize: {
      takes: '0–4,096; the token is padded to at least that many bytes',
      tests: ['e2e/token-sizes'],
    },
  },
  GetFederationToken: {
    Name: { takes: 'required; 2–32 of `\\w+=,.@-`', tests: ['sts/own-sessions'] },
    Policy: {
      takes: 'without one, only bucket policies grant',
      tests: ['sts/own-sessions', 'e2e/own-sessions'],
    },
    PolicyArns: { takes: 'as in `AssumeRole`', tests: ['sts/own-sessions'] },
    DurationSeconds: { takes: 'as in `GetSessionToken`', tests: ['sts/own-sessions'] },
    Tags: { takes: 'need `sts:TagSession`', tests: ['sts/own-sessions'] },
    MinimumSessionTokenSize: {
      takes: '0–4,096; the token is padded to at least that many bytes',
      tests: ['e2e/token-sizes'],
    },
  },
  GetScopedCredentials: {
    Policy: {
      takes: 'a scope-down policy of at most 2,048 characters; required without `DurationSeconds`',
      tests: ['sts/scoped-credentials', 'e2e/scoped-credentials'],
    },
    DurationSeconds: {
      takes: '1–129,600, at most what is left of the calling session, which is the default',
      tests: ['sts/scoped-credentials', 'e2e/scoped-credentials'],
    },
    MinimumSessionTokenSize: {
      takes: '0–4,096; the token is padded to at least that many bytes',
      tests: ['e2e/token-sizes', 'sts/scoped-credentials'],
    },
    ScopedSessionDescription: {
      takes: '2–256 characters, for the log alone',
      tests: ['sts/scoped-credentials', 'e2e/scoped-credentials'],
    },
  },
  GetCallerIdentity: {
    none: {
      takes: 'every signed caller, also with a presigned request',
      tests: ['sts/sdk', 'e2e/presigned'],
    },
  },
  GetAccessKeyInfo: {
    AccessKeyId: { takes: 'required; 16–128 of `\\w`', tests: ['sts/information'] },
  },
  DecodeAuthorizationMessage: {
    EncodedMessage: {
      takes: 'required; 1–10,240 characters',
      tests: ['sts/information', 'e2e/own-sessions'],
    },
  },
};

const credentials = ['Credentials'];
const tokenSize = ['SessionTokenUtilization', 'SessionTokenSize'];
const ofRole = ['AssumedRoleUser', 'PackedPolicySize', 'SourceIdentity', ...credentials, ...tokenSize];

/** The members of each result that the model of the SDK has and this service returns. */
export const returnedMembers: Readonly<Record<string, readonly string[]>> = {
  AssumeRole: ofRole,
  AssumeRoleWithWebIdentity: [...ofRole, 'SubjectFromWebIdentityToken', 'Audience', 'Provider'],
  AssumeRoleWithSAML: [...ofRole, 'Subject', 'SubjectType', 'Issuer', 'Audience', 'NameQualifier'],
  GetSessionToken: [...credentials, ...tokenSize],
  GetFederationToken: ['FederatedUser', 'PackedPolicySize', ...credentials, ...tokenSize],
  GetScopedCredentials: [
    'SessionInfo',
    'ScopedPoliciesCount',
    'SourceIdentity',
    ...credentials,
    ...tokenSize,
  ],
  GetCallerIdentity: ['UserId', 'Account', 'Arn'],
  GetAccessKeyInfo: ['Account'],
  DecodeAuthorizationMessage: ['DecodedMessage'],
};

/** The members that the model has and this service never returns, with the reason. */
export const neverReturned: Readonly<Record<string, string>> = {
  TrustedIdentityPropagationContext: 'trusted identity propagation is of IAM Identity Center',
};
