/** Limit for the inline policy and the policy ARNs together, in characters (AWS STS API Reference, AssumeRole). */
export const maxPolicyCharacters = 2048;

/**
 * A sentence for a policy that is too long only because of the white space between its elements, which AWS counts in session
 * policies and in no other. `undefined` for any other text.
 * @param text JSON, or what was sent as such
 * @param limit most characters that it may take
 */
export function whiteSpaceHint(text: string, limit: number): string | undefined {
  if (text.length <= limit) return undefined;
  const compact = compactLength(text);
  return compact > limit
    ? undefined
    : `White space counts: without it the inline policy takes ${compact} characters.`;
}

/** Characters outside of white space between JSON's tokens: one scan, whether or not the text is valid. */
function compactLength(text: string): number {
  let length = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    const isWhite = character === ' ' || character === '\n' || character === '\r' || character === '\t';
    if (!isWhite || isInString) length += 1;
    if (character === '"') isInString = !isInString;
    // The escaped character, which may be a quotation mark.
    else if (character === '\\' && isInString && at + 1 < text.length) {
      at += 1;
      length += 1;
    }
  }
  return length;
}
