import { endAtStart, findRun, kept, type Needle, type Run, type RunPiece, startAtEnd } from './glob-run.ts';
import type { StepBudget } from './step-budget.ts';

export type { StepBudget } from './step-budget.ts';

/** One piece of a pattern: text taken as it is, any number of code points (`*`), or exactly one (`?`). */
export type GlobToken =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'one' };

/** For patterns and texts that are short and fixed, such as action names. */
export const unlimitedSteps: StepBudget = { spend: () => undefined };

/** Tells whether a whole text matches. Well-formed UTF-16 is expected on both sides. */
export type GlobMatcher = (text: string, budget: StepBudget) => boolean;

/** The runs around the stars of a pattern. */
export interface GlobRuns {
  readonly first: Run;
  readonly middle: readonly (Run | Needle)[];
  /** `undefined` when the pattern has no star. */
  readonly last: Run | undefined;
}

/**
 * Compiles a token list into the cheapest matcher of its shape: everything, equality, prefix, suffix, or runs looked
 * for one after the other. No regular expression is involved and nothing is tried twice. A run of text between two
 * `*` is found in linear time; a run with `?` takes up to run length × text length ÷ 32 steps. Both are paid from the
 * budget; the other shapes, which cost at most the length of the pattern, are not. Case is the caller's.
 */
export function compileGlob(tokens: readonly GlobToken[]): GlobMatcher {
  const [first, ...rest] = splitAtStars(tokens).map(runOf);
  const last = rest.pop();
  if (first === undefined) return (text) => text === '';
  if (last === undefined) return wholeMatcher(first);
  if (rest.length > 0 || typeof first !== 'string' || typeof last !== 'string')
    return sequenceMatcher({ first, middle: rest.map(kept), last });
  if (last === '') return first === '' ? everything : (text) => text.startsWith(first);
  if (first === '') return (text) => text.endsWith(last);
  return sequenceMatcher({ first, middle: [], last });
}

const everything: GlobMatcher = () => true;

/** Reads `*` and `?` of a pattern text as wildcards; everything else is text. */
export function parseGlob(pattern: string): GlobToken[] {
  const tokens: GlobToken[] = [];
  let start = 0;
  for (let index = 0; index <= pattern.length; index += 1) {
    const character = pattern[index];
    if (character !== undefined && character !== '*' && character !== '?') continue;
    if (index > start) tokens.push({ kind: 'text', text: pattern.slice(start, index) });
    if (character !== undefined) tokens.push(character === '*' ? any : one);
    start = index + 1;
  }
  return tokens;
}

const any: GlobToken = { kind: 'any' };
const one: GlobToken = { kind: 'one' };

/** Splits tokens of any kind around the stars: one run more than there are stars, neighbouring stars counted once. */
export function splitAtStars<T extends { readonly kind: string }>(
  tokens: readonly T[],
): Exclude<T, { readonly kind: 'any' }>[][] {
  type Token = Exclude<T, { readonly kind: 'any' }>;
  let current: Token[] = [];
  const runs = [current];
  let isAfterStar = false;
  for (const token of tokens) {
    if (token.kind !== 'any') current.push(token as Token);
    else if (!isAfterStar) {
      current = [];
      runs.push(current);
    }
    isAfterStar = token.kind === 'any';
  }
  return runs;
}

/** A run of tokens without stars; neighbouring texts and `?` are joined. */
export function runOf(tokens: readonly Exclude<GlobToken, { readonly kind: 'any' }>[]): Run {
  const pieces: RunPiece[] = [];
  for (const token of tokens) {
    const piece = token.kind === 'text' ? token.text : 1;
    const last = pieces.at(-1);
    if (piece === '') continue;
    if (typeof last === 'string' && typeof piece === 'string') pieces[pieces.length - 1] = last + piece;
    else if (typeof last === 'number' && typeof piece === 'number') pieces[pieces.length - 1] = last + piece;
    else pieces.push(piece);
  }
  const [only = ''] = pieces;
  // A copy takes no more memory than it needs; a list that has grown has room for sixteen more.
  return pieces.length <= 1 && typeof only === 'string' ? only : pieces.slice();
}

function wholeMatcher(run: Run): GlobMatcher {
  if (typeof run === 'string') return (text) => text === run;
  return (text, budget) => endAtStart(run, text, budget) === text.length;
}

function sequenceMatcher(runs: GlobRuns): GlobMatcher {
  return (text, budget) => matchesRuns(runs, text, budget);
}

/**
 * Tests a whole text. The first run must start the text and the last one end it; each run between them takes its first
 * occurrence after the one before. Taking a later one could not make a later run fit better, so nothing is ever taken back.
 */
export function matchesRuns({ first, middle, last }: GlobRuns, text: string, budget: StepBudget): boolean {
  let position = endAtStart(first, text, budget);
  if (last === undefined) return position === text.length;
  if (position < 0) return false;
  const limit = startAtEnd(last, text, budget);
  if (limit < position) return false;
  for (const run of middle) {
    position = findRun(run, text, position, budget);
    if (position < 0 || position > limit) return false;
  }
  return true;
}
