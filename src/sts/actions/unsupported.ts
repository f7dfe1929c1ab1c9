/**
 * Actions of AWS's API that do not exist here, each with the reason that the caller is told. Source: the model of
 * `@aws-sdk/client-sts` 3.1177.0.
 */
export const unsupportedActions: ReadonlyMap<string, string> = new Map([
  ['AssumeRoot', 'AssumeRoot is not supported: there is one account, which has no member accounts.'],
  [
    'GetDelegatedAccessToken',
    'GetDelegatedAccessToken is not supported: no partner of AWS issues trade-in tokens for this service.',
  ],
  [
    'GetWebIdentityToken',
    'GetWebIdentityToken is not supported: this service accepts the tokens of OpenID Connect providers and issues none itself.',
  ],
]);
