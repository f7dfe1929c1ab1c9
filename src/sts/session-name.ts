import { createHash } from 'node:crypto';
import { nameCharacters } from '../core/iam-names.ts';

const maxLength = 64;
const digestLength = 10;
const notInNames = new RegExp(`[^${nameCharacters}]`, 'gu');
// Has a capital letter, a small letter and a digit, because names that people choose seldom end so.
const digestAtEnd = /-(?=[\w-]*[A-Z])(?=[\w-]*[a-z])(?=[\w-]*\d)[\w-]{10}$/;

/**
 * The session name for a subject. A subject that is a valid name is used as it is. In any other subject, each invalid character
 * becomes `-`, and `-` and 10 characters of a digest are appended. Two subjects therefore never share a name, an ARN or an
 * `aws:userid`. A subject that already looks like a name with a digest gets a digest of its own, so that a subject cannot be
 * chosen to take the name of another.
 */
export function sessionNameOf(subject: string): string {
  const name = subject.replaceAll(notInNames, '-');
  if (name === subject && name.length <= maxLength && !digestAtEnd.test(name)) return name;
  return `${name.slice(0, maxLength - digestLength - 1)}-${digestOf(subject)}`;
}

function digestOf(subject: string): string {
  for (let round = 0; ; round += 1) {
    // UTF-16, because UTF-8 encodes all unpaired surrogates alike.
    const hash = createHash('sha256').update(`${round}\n${subject}`, 'utf16le');
    const digest = hash.digest('base64url').slice(0, digestLength);
    if (digestAtEnd.test(`-${digest}`)) return digest;
  }
}
