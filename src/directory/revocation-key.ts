/**
 * How sessions are called when they are revoked: a text for each way to name them. Everything after the kind is an exact
 * ARN or id, so no text of one kind is that of another.
 */
export const revocationKey = {
  everybody: 'everybody',
  session: (sessionId: string): string => `session/${sessionId}`,
  role: (roleArn: string): string => `role/${roleArn}`,
  roleSession: (roleArn: string, sessionName: string): string => `role-session/${roleArn}/${sessionName}`,
  user: (userArn: string): string => `user/${userArn}`,
  provider: (providerArn: string): string => `provider/${providerArn}`,
} as const;
