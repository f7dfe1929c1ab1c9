/**
 * The keys by which sessions are revoked, one form for each selector. After its kind, a key consists of an exact ARN or id, so
 * keys of different kinds are never equal.
 */
export const revocationKey = {
  everybody: 'everybody',
  session: (sessionId: string): string => `session/${sessionId}`,
  role: (roleArn: string): string => `role/${roleArn}`,
  roleSession: (roleArn: string, sessionName: string): string => `role-session/${roleArn}/${sessionName}`,
  user: (userArn: string): string => `user/${userArn}`,
  provider: (providerArn: string): string => `provider/${providerArn}`,
} as const;
