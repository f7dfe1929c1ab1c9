/**
 * The characters of names of users, roles, policies and sessions, for the end of a class of a regular expression (AWS IAM API
 * Reference).
 */
export const nameCharacters = String.raw`\w+=,.@-`;

/** The form of names of that length. */
export function nameForm(min: number, max: number): RegExp {
  return new RegExp(`^[${nameCharacters}]{${min},${max}}$`);
}

/** The form of names of roles, users and sessions. */
export const entityName: RegExp = nameForm(1, 64);

/** The form of RoleSessionName and SourceIdentity (AWS STS API Reference, AssumeRole). */
export const sessionName: RegExp = nameForm(2, 64);

/** The form of the name of a federated user (AWS STS API Reference, GetFederationToken). */
export const federatedUserName: RegExp = nameForm(2, 32);

/** The longest session that any role may allow: a year. AWS stops at twelve hours. */
export const longestSessionSeconds = 31_536_000;
