import { sessionName } from '../core/iam-names.ts';

/** The syntax of session tags and source identities (AWS STS API Reference, Tag, AssumeRole). */
export const sessionForms: {
  readonly maxTags: number;
  /** Keys that start with `aws:` are reserved. */
  readonly tagKey: RegExp;
  readonly tagValue: RegExp;
  readonly sourceIdentity: RegExp;
} = {
  maxTags: 50,
  tagKey: /^(?!aws:)[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/iu,
  tagValue: /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u,
  // Contains no colon, so it cannot start with `aws:`.
  sourceIdentity: sessionName,
};
