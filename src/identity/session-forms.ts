/** What a session tag and a source identity may look like (AWS STS API Reference, Tag, AssumeRole). */
export const sessionForms: {
  readonly maxTags: number;
  /** Keys that start with `aws:` belong to AWS. */
  readonly tagKey: RegExp;
  readonly tagValue: RegExp;
  readonly sourceIdentity: RegExp;
} = {
  maxTags: 50,
  tagKey: /^(?!aws:)[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/iu,
  tagValue: /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u,
  // No colon, so none can start with `aws:`.
  sourceIdentity: /^[\w+=,.@-]{2,64}$/,
};
