import { isMapping, quoted, type Report } from './problem.ts';

/**
 * Largest sizes of policies in characters (IAM and STS quotas, Amazon S3 bucket policy quota). White space does
 * not count, except in `session`, which is measured as sent.
 */
export const policyCharacterLimits: {
  readonly session: number;
  readonly trust: number;
  readonly managed: number;
  readonly inlinePerRole: number;
  readonly inlinePerUser: number;
  readonly bucket: number;
} = {
  session: 2048,
  trust: 4096,
  managed: 6144,
  inlinePerRole: 10_240,
  inlinePerUser: 2048,
  bucket: 20_480,
};

/** Most statements of one document: more than the largest quota of characters holds in practice. */
export const maxStatements = 400;

/** Most actions, resources, principals and condition values of one document together; bounds one decision's work. */
export const maxValues = 2500;

/**
 * Most `*` in one pattern. Matching is linear per star, so this is not what keeps it from running away; it keeps
 * the product of a hostile session policy and 1,024-byte keys small. Real patterns use two or three.
 */
const maxStarsPerPattern = 32;

/**
 * Size of an already parsed document in the characters that count towards a quota: its compact JSON without any
 * white space. Sum it over a role's or user's inline policies for the quotas that are given per role and user.
 */
export function countPolicyCharacters(source: unknown): number {
  const text = isMapping(source) ? JSON.stringify(source) : '';
  return text.replace(/\s/g, '').length;
}

/** Reports a pattern with more `*` than {@link maxStarsPerPattern}. */
export function checkStars(pattern: string, report: Report): void {
  if (pattern.split('*').length - 1 > maxStarsPerPattern) {
    report(`${quoted(pattern)} has more than ${maxStarsPerPattern} "*"`);
  }
}
