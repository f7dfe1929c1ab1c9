/** One piece of a pattern: text taken as it is, any number of code points (`*`), or exactly one (`?`). */
export type GlobToken =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'one' };

/** Tells whether a whole text matches. Well-formed UTF-16 is expected on both sides. */
export type GlobMatcher = (text: string) => boolean;

const opAny = -1;
const opOne = -2;

/**
 * Compiles a token list into the cheapest matcher of its shape: everything, equality, prefix, suffix, or the
 * two-pointer walk. No regular expression is involved, so no pattern can make matching exponential: the walk
 * goes back to the last `*` only and takes at most pattern length × text length steps. Case is the caller's.
 */
export function compileGlob(tokens: readonly GlobToken[]): GlobMatcher {
  const merged = mergeTokens(tokens);
  const [first, second] = merged;
  if (first === undefined) return (text) => text === '';
  if (merged.length === 1) {
    if (first.kind === 'any') return () => true;
    if (first.kind === 'text') return equalTo(first.text);
  }
  if (merged.length === 2 && second !== undefined) {
    if (first.kind === 'text' && second.kind === 'any') return startingWith(first.text);
    if (first.kind === 'any' && second.kind === 'text') return endingWith(second.text);
  }
  const program = assemble(merged);
  return (text) => walk(program, text);
}

/** Reads `*` and `?` of a pattern text as wildcards; everything else is text. */
export function parseGlob(pattern: string): GlobToken[] {
  const tokens: GlobToken[] = [];
  let start = 0;
  for (let index = 0; index <= pattern.length; index += 1) {
    const character = pattern[index];
    if (character !== undefined && character !== '*' && character !== '?') continue;
    if (index > start) tokens.push({ kind: 'text', text: pattern.slice(start, index) });
    if (character !== undefined) tokens.push({ kind: character === '*' ? 'any' : 'one' });
    start = index + 1;
  }
  return tokens;
}

function equalTo(expected: string): GlobMatcher {
  return (text) => text === expected;
}

function startingWith(head: string): GlobMatcher {
  return (text) => text.startsWith(head);
}

function endingWith(tail: string): GlobMatcher {
  return (text) => text.endsWith(tail);
}

function mergeTokens(tokens: readonly GlobToken[]): GlobToken[] {
  const merged: GlobToken[] = [];
  for (const token of tokens) {
    const last = merged.at(-1);
    if (token.kind === 'any' && last?.kind === 'any') continue;
    if (token.kind !== 'text') merged.push(token);
    else if (last?.kind === 'text')
      merged[merged.length - 1] = { kind: 'text', text: last.text + token.text };
    else if (token.text !== '') merged.push(token);
  }
  return merged;
}

function assemble(tokens: readonly GlobToken[]): Int32Array {
  const program: number[] = [];
  for (const token of tokens) {
    if (token.kind === 'any') program.push(opAny);
    else if (token.kind === 'one') program.push(opOne);
    else
      for (let index = 0; index < token.text.length; index += 1) program.push(token.text.charCodeAt(index));
  }
  return Int32Array.from(program);
}

/** Width in code units of the code point at `index`. */
function widthAt(text: string, index: number): number {
  const code = text.codePointAt(index);
  return code !== undefined && code > 0xffff ? 2 : 1;
}

function walk(program: Int32Array, text: string): boolean {
  let step = 0;
  let position = 0;
  let starStep = -1;
  let starPosition = 0;
  while (position < text.length) {
    const op = program[step];
    if (op === opAny) {
      step += 1;
      starStep = step;
      starPosition = position;
    } else if (op === opOne) {
      position += widthAt(text, position);
      step += 1;
    } else if (op === text.charCodeAt(position)) {
      position += 1;
      step += 1;
    } else if (starStep >= 0) {
      // Only the last `*` needs to grow: an earlier one that took more could not make a later piece fit better.
      starPosition += widthAt(text, starPosition);
      position = starPosition;
      step = starStep;
    } else {
      return false;
    }
  }
  while (program[step] === opAny) step += 1;
  return step === program.length;
}
