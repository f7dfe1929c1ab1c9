import { isMapping } from '../core/mapping.ts';
import { quoted, type Report } from './problem.ts';

/**
 * Largest sizes of policies in characters (IAM and STS quotas, Amazon S3 bucket policy quota). White space does not
 * count, except in session policies, which are measured as sent.
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

/** Most statements of one document. In practice the quota of characters is reached first. */
export const maxStatements = 400;

/** Most actions, resources, principals and condition values of one document in total; bounds the work of a decision. */
export const maxValues = 2500;

/**
 * Most `*` in one pattern. Matching time is linear in the number of stars; this limit keeps a hostile session policy cheap
 * on keys of 1,024 bytes. Real patterns use two or three.
 */
const maxStarsPerPattern = 32;

/**
 * Size of a parsed document in the characters that count towards a quota: its compact JSON without white space. The
 * quotas of inline policies are for the sum over a role or user.
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
