import { compileGlob, type GlobToken, matchesRuns, runOf, splitAtStars } from '../core/glob.ts';
import { kept, type Needle, type Run, type RunPiece } from '../core/glob-run.ts';
import { type EvaluationScope, type Truth, waiting } from './scope.ts';
import { literalHead, resolveVariable, type TemplateToken, type VariableToken } from './variables.ts';

/** Maps a text to the form in which it is compared. */
type Fold = (text: string) => string;

const unchanged: Fold = (text) => text;

/** A test of one request value. */
export type ValueTest = (value: string, scope: EvaluationScope) => Truth;

/** Cost of folding a code unit, in comparisons. */
const stepsPerFoldedUnit = 16;

/** Cost of a piece of a pattern with variables, in comparisons. */
const stepsPerPiece = 16;

/**
 * Compiles a template into a test of a whole value. For comparisons that ignore case, `fold` is applied to the text of the
 * template and to the values of variables; the caller folds the value to test. Folding the pieces of a text must equal
 * folding the whole. A template with an unresolvable variable matches nothing.
 */
export function compileTemplate(tokens: readonly TemplateToken[], fold: Fold = unchanged): ValueTest {
  const folded = tokens.map((token) =>
    token.kind === 'text' ? { ...token, text: fold(token.text) } : token,
  );
  const constant = folded.filter(isConstant);
  if (folded.length === 1 && constant[0]?.kind === 'any') return everything;
  if (constant.length === folded.length) return constantTest(constant);
  const head = literalHead(folded);
  const last = folded.at(-1);
  const beginning = last?.kind === 'any' ? folded.slice(0, -1) : folded;
  if (beginning.every(isPlain)) return plainTest(beginning, { head, isPrefix: last?.kind === 'any', fold });
  return openTest(folded, head, fold);
}

/** The test of `*`, which many patterns end in, for all of them. */
const everything: ValueTest = () => true;

/** Tests a template with variables and wildcards: compares its runs and compiles no pattern. */
function openTest(tokens: readonly TemplateToken[], head: string, fold: Fold): ValueTest {
  const runs = templateRuns(tokens);
  // Most values differ in the constant head, so most tests resolve no variable.
  return (value, scope) => value.startsWith(head) && matchesTemplate(runs, value, scope, fold);
}

// A function of its own, so that the closure keeps only the matcher: a session policy can hold hundreds of them.
function constantTest(tokens: readonly GlobToken[]): ValueTest {
  const matches = compileGlob(tokens);
  return (value, scope) => matches(value, scope.budget);
}

function isConstant(token: TemplateToken): token is GlobToken {
  return token.kind !== 'variable';
}

/** A token that is not a wildcard. */
type PlainToken = VariableToken | (GlobToken & { readonly kind: 'text' });

function isPlain(token: TemplateToken): token is PlainToken {
  return token.kind === 'text' || token.kind === 'variable';
}

/** Tests a template whose only wildcard, if any, is a `*` at the end: compares text and compiles no pattern. */
function plainTest(
  tokens: readonly PlainToken[],
  { head, isPrefix, fold }: { head: string; isPrefix: boolean; fold: Fold },
): ValueTest {
  return (value, scope) => {
    if (!value.startsWith(head)) return false;
    let wanted = '';
    let isUnknown = false;
    for (const token of tokens) {
      if (token.kind === 'text') {
        wanted += token.text;
        continue;
      }
      const text = resolveVariable(token, scope);
      if (text === undefined) return false;
      if (text === waiting) {
        isUnknown = true;
        continue;
      }
      wanted += foldWithin(text, scope, fold);
      if (wanted.length > value.length) return false;
    }
    scope.budget.spend(wanted.length);
    if (isUnknown) return 'unknown';
    return isPrefix ? value.startsWith(wanted) : value === wanted;
  };
}

type RunToken = Exclude<TemplateToken, { readonly kind: 'any' }>;

/** A run of a pattern that holds variables. */
class OpenRun {
  readonly tokens: readonly RunToken[];

  constructor(tokens: readonly RunToken[]) {
    this.tokens = tokens;
  }
}

/** The runs around the stars of a pattern with variables. */
interface TemplateRuns {
  readonly first: Run | OpenRun;
  readonly middle: readonly (Run | Needle | OpenRun)[];
  readonly last: Run | OpenRun | undefined;
  /** Code units of the text of the pattern itself. */
  readonly units: number;
}

function templateRuns(tokens: readonly TemplateToken[]): TemplateRuns {
  const [first = '', ...middle] = splitAtStars(tokens).map((run) => {
    const constant = run.filter((token) => token.kind !== 'variable');
    return constant.length === run.length ? runOf(constant) : new OpenRun(run.slice());
  });
  const last = middle.pop();
  const units = tokens.reduce((sum, token) => sum + (token.kind === 'text' ? token.text.length : 0), 0);
  return { first, middle: middle.map((run) => (run instanceof OpenRun ? run : kept(run))), last, units };
}

/** Resolves the variables of one pattern: a value of the request is compared as text and never read as a pattern. */
class Substitution {
  readonly #scope: EvaluationScope;
  readonly #fold: Fold;
  /** Code units that the value to match has left for variables: a longer pattern cannot match. */
  #unitsLeft: number;
  /** True when a variable does not resolve, or the texts are longer than the value. */
  cannotMatch = false;
  isUnknown = false;

  constructor(scope: EvaluationScope, fold: Fold, unitsLeft: number) {
    this.#scope = scope;
    this.#fold = fold;
    this.#unitsLeft = unitsLeft;
  }

  /** A run with its variables replaced. */
  close<R extends Run | Needle>(run: R | OpenRun): R | Run {
    if (!(run instanceof OpenRun)) return run;
    if (this.cannotMatch) return '';
    const pieces: RunPiece[] = [];
    let text = '';
    for (const token of run.tokens) {
      if (token.kind !== 'one') {
        text += token.kind === 'text' ? token.text : this.#valueOf(token);
        if (this.cannotMatch) return '';
        continue;
      }
      if (text !== '') pieces.push(text);
      pieces.push(1);
      text = '';
    }
    this.#scope.budget.spend(run.tokens.length * stepsPerPiece + text.length);
    if (pieces.length === 0) return text;
    if (text !== '') pieces.push(text);
    return pieces;
  }

  #valueOf(token: VariableToken): string {
    const value = resolveVariable(token, this.#scope);
    if (value === waiting) this.isUnknown = true;
    if (value === undefined) this.cannotMatch = true;
    if (typeof value !== 'string') return '';
    const text = foldWithin(value, this.#scope, this.#fold);
    this.#unitsLeft -= text.length;
    if (this.#unitsLeft < 0) this.cannotMatch = true;
    return text;
  }
}

/** Replaces the variables of a pattern and tests a whole value. */
function matchesTemplate(
  { first, middle, last, units }: TemplateRuns,
  value: string,
  scope: EvaluationScope,
  fold: Fold,
): Truth {
  if (units > value.length) return false;
  const substitution = new Substitution(scope, fold, value.length - units);
  const runs = {
    first: substitution.close(first),
    middle: middle.map((run) => substitution.close(run)),
    last: last === undefined ? undefined : substitution.close(last),
  };
  if (substitution.cannotMatch) return false;
  return substitution.isUnknown ? 'unknown' : matchesRuns(runs, value, scope.budget);
}

function foldWithin(text: string, scope: EvaluationScope, fold: Fold): string {
  if (fold === unchanged) return text;
  const known = scope.foldedTexts.get(text);
  if (known !== undefined) return known;
  scope.budget.spend(text.length * stepsPerFoldedUnit);
  const folded = fold(text);
  scope.foldedTexts.set(text, folded);
  return folded;
}
