import { flatCopy } from '../core/bytes.ts';
import type { RequestRecord } from '../core/request-record.ts';
import type { SessionClaims, SessionPrincipal } from '../tokens/session-claims.ts';
import type { ParameterTable, SentParameters } from './parameters.ts';

/** The fields of the record that say who asks for which session. */
export type SessionFacts = Partial<
  Pick<RequestRecord, 'roleArn' | 'sessionName' | 'sourceIdentity' | 'subject' | 'audience'>
>;

const maxCharacters = 256;

/** A text of a caller as the record has it: not long, and in memory of its own. */
export function recorded(text: string): string {
  return flatCopy(text.slice(0, maxCharacters));
}

/**
 * The role and the name that a call asks for, of the parameters in the table of its action. Who calls is not known yet. What breaks
 * its constraint is left out, for it may be something secret in the wrong place.
 */
export function askedFor(sent: SentParameters, table: ParameterTable): SessionFacts {
  const read = (name: string): string | undefined => {
    const value = table[name]?.read(sent, name, name, () => undefined);
    return typeof value === 'string' ? recorded(value) : undefined;
  };
  const roleArn = read('RoleArn');
  return {
    roleArn: roleArn?.startsWith('arn:') === true ? roleArn : undefined,
    sessionName: read('RoleSessionName') ?? read('Name'),
  };
}

/** The identity that a session stands for, from its token: whoever began the chain that led to it. */
export function identityOf({ federation, sourceIdentity }: SessionClaims): SessionFacts {
  return {
    ...(federation === undefined
      ? {}
      : { subject: recorded(federation.subject), audience: recorded(federation.audience) }),
    ...(sourceIdentity === undefined ? {} : { sourceIdentity: recorded(sourceIdentity) }),
  };
}

/** The role and the name of a session. */
export function principalFacts(principal: SessionPrincipal): SessionFacts {
  switch (principal.kind) {
    case 'role-session':
      return { roleArn: principal.roleArn, sessionName: principal.sessionName };
    case 'federated-user':
      return { sessionName: principal.name };
    case 'user-session':
      return {};
  }
}
