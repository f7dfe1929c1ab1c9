import { createHash } from 'node:crypto';

const maxLength = 64;
const digestLength = 10;
const notInNames = /[^\w+=,.@-]/gu;
// With a capital, a small letter and a digit: names that people choose seldom end so.
const digestAtEnd = /-(?=[\w-]*[A-Z])(?=[\w-]*[a-z])(?=[\w-]*\d)[\w-]{10}$/;

/**
 * The name of a session that is called after its subject, as a provider tells it. A subject that can stand in a name is the
 * name. Of any other, what cannot stand there becomes `-`, and `-` and 10 characters of its digest come at the end: two
 * subjects never share a name, and with it an ARN or an `aws:userid`. A subject that looks like such a name gets a digest of
 * its own, so that no one can choose it to have the name of another.
 */
export function sessionNameOf(subject: string): string {
  const name = subject.replaceAll(notInNames, '-');
  if (name === subject && name.length <= maxLength && !digestAtEnd.test(name)) return name;
  return `${name.slice(0, maxLength - digestLength - 1)}-${digestOf(subject)}`;
}

function digestOf(subject: string): string {
  for (let round = 0; ; round += 1) {
    // UTF-16, because UTF-8 writes every unpaired surrogate alike.
    const hash = createHash('sha256').update(`${round}\n${subject}`, 'utf16le');
    const digest = hash.digest('base64url').slice(0, digestLength);
    if (digestAtEnd.test(`-${digest}`)) return digest;
  }
}
