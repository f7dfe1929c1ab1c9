import { foldCase } from '../core/fold-case.ts';
import { compileGlob, type GlobToken, parseGlob } from '../core/glob.ts';
import { isMultiValued } from './multi-valued-keys.ts';
import { quoted, type Report } from './problem.ts';
import { type EvaluationScope, type Truth, waiting } from './scope.ts';

/** `${key}` or `${key, 'fallback'}`; the key is in lower case. */
interface VariableToken {
  readonly kind: 'variable';
  readonly key: string;
  /** True when the key is a list by its type; it then never resolves to a text. */
  readonly isList: boolean;
  readonly fallback: string | undefined;
}

/** One piece of a policy value: a piece of a pattern or a policy variable. */
export type TemplateToken = GlobToken | VariableToken;

/** The notations that are special in a policy value. */
export interface TemplateSyntax {
  /** `*` and `?` are wildcards. */
  readonly hasWildcards: boolean;
  /** `${…}` is a variable: version 2012-10-17 only. */
  readonly hasVariables: boolean;
}

/** Maps a text to the form in which it is compared. */
type Fold = (text: string) => string;

const unchanged: Fold = (text) => text;

/** A test of one request value. */
export type ValueTest = (value: string, scope: EvaluationScope) => Truth;

const variableKey = /^[^\s:,'"*?${}]+:[^,'"*?${}]+$/;
const quotedFallback = /^'([^'{}$]+)'$/;

/**
 * Reads a policy value into tokens (IAM user guide, "IAM policy elements: Variables and tags"). `${*}`, `${?}` and
 * `${$}` are the literal characters. Reports malformed variables and returns `undefined`.
 */
export function parseTemplate(
  text: string,
  syntax: TemplateSyntax,
  report: Report,
): TemplateToken[] | undefined {
  const tokens: TemplateToken[] = [];
  let start = 0;
  while (start < text.length) {
    const opening = syntax.hasVariables ? text.indexOf('${', start) : -1;
    const plain = text.slice(start, opening < 0 ? text.length : opening);
    if (syntax.hasWildcards) tokens.push(...parseGlob(plain));
    else if (plain !== '') tokens.push({ kind: 'text', text: plain });
    if (opening < 0) break;
    const closing = text.indexOf('}', opening);
    const body = text.slice(opening + 2, closing < 0 ? text.length : closing);
    const token = closing < 0 ? undefined : parseVariable(body);
    if (token === undefined) {
      report(`malformed policy variable in ${quoted(text)}: expected \${key} or \${key, 'default'}`);
      return undefined;
    }
    tokens.push(token);
    start = closing + 1;
  }
  return tokens;
}

function parseVariable(body: string): TemplateToken | undefined {
  if (body === '*' || body === '?' || body === '$') return { kind: 'text', text: body };
  const comma = body.indexOf(',');
  const key = (comma < 0 ? body : body.slice(0, comma)).trim();
  const fallback = comma < 0 ? undefined : quotedFallback.exec(body.slice(comma + 1).trim())?.[1];
  // An empty default is refused too: `prefix/${key, ''}` would turn a missing tag into the whole of `prefix/`.
  if (!variableKey.test(key) || (comma >= 0 && fallback === undefined)) return undefined;
  const name = foldCase(key);
  return { kind: 'variable', key: name, isList: isMultiValued(name), fallback };
}

/** Cost of resolving a variable, in comparisons. */
const stepsPerVariable = 64;

/** Cost of folding a code unit, in comparisons. */
const stepsPerFoldedUnit = 16;

/** Cost of compiling a code unit into a pattern at decision time, in comparisons. */
const stepsPerUnit = 4;

/** The value of a variable in this request, or its default; `undefined` when it has neither. */
function resolve(
  { key, isList, fallback }: VariableToken,
  scope: EvaluationScope,
): string | undefined | typeof waiting {
  scope.budget.spend(stepsPerVariable);
  if (isList) return fallback;
  const state = scope.lookUp(key);
  if (state === waiting) return waiting;
  const single =
    typeof state === 'string' ? state : Array.isArray(state) && state.length === 1 ? state[0] : undefined;
  return single === undefined || single === '' ? fallback : single;
}

/**
 * Replaces variables by text tokens, so that a value of the request never becomes a pattern. Returns `undefined` when
 * nothing can match: a variable does not resolve, or the text is longer than the value to match, of `valueUnits` code
 * units. Returns `unknown` when a variable needs a look-up.
 */
function substitute(
  tokens: readonly TemplateToken[],
  scope: EvaluationScope,
  { fold, valueUnits }: { readonly fold: Fold; readonly valueUnits: number },
): GlobToken[] | undefined | 'unknown' {
  const resolved: GlobToken[] = [];
  let isUnknown = false;
  let units = 0;
  for (const token of tokens) {
    if (token.kind !== 'variable') {
      resolved.push(token);
      units += token.kind === 'text' ? token.text.length : 0;
      continue;
    }
    const text = resolve(token, scope);
    if (text === undefined) return undefined;
    if (text === waiting) {
      isUnknown = true;
      continue;
    }
    const folded = foldWithin(text, scope, fold);
    units += folded.length;
    if (units > valueUnits) return undefined;
    resolved.push({ kind: 'text', text: folded });
  }
  scope.budget.spend(units * stepsPerUnit + tokens.length * stepsPerFoldedUnit);
  return isUnknown ? 'unknown' : resolved;
}

function foldWithin(text: string, { budget }: EvaluationScope, fold: Fold): string {
  if (fold === unchanged) return text;
  budget.spend(text.length * stepsPerFoldedUnit);
  return fold(text);
}

/** True when a template holds a variable that this request does not resolve. */
export function isUnresolvable(tokens: readonly TemplateToken[], scope: EvaluationScope): Truth {
  let result: Truth = false;
  for (const token of tokens) {
    if (token.kind !== 'variable') continue;
    const text = resolve(token, scope);
    if (text === undefined) return true;
    if (text === waiting) result = 'unknown';
  }
  return result;
}

/** The context keys of the variables in a template, in lower case. */
export function variableKeys(tokens: readonly TemplateToken[]): string[] {
  return tokens.flatMap((token) => (token.kind === 'variable' ? [token.key] : []));
}

/** The text before the first wildcard or variable. */
export function literalHead(tokens: readonly TemplateToken[]): string {
  let head = '';
  for (const token of tokens) {
    if (token.kind !== 'text') break;
    head += token.text;
  }
  return head;
}

/**
 * Compiles a template into a test of a whole value. For comparisons that ignore case, `fold` is applied to the text of the
 * template and to the values of variables; the caller folds the value to test. Folding the pieces of a text must equal
 * folding the whole. A template with an unresolvable variable matches nothing.
 */
export function compileTemplate(tokens: readonly TemplateToken[], fold: Fold = unchanged): ValueTest {
  const folded = tokens.map((token) =>
    token.kind === 'text' ? { ...token, text: fold(token.text) } : token,
  );
  const constant = folded.filter((token) => token.kind !== 'variable');
  if (constant.length === folded.length) return constantTest(constant);
  const head = literalHead(folded);
  const last = folded.at(-1);
  const beginning = last?.kind === 'any' ? folded.slice(0, -1) : folded;
  if (beginning.every(isPlain)) return plainTest(beginning, { head, isPrefix: last?.kind === 'any', fold });
  return (value, scope) => {
    // Most values differ in the constant head, so most tests resolve no variable.
    if (!value.startsWith(head)) return false;
    const resolved = substitute(folded, scope, { fold, valueUnits: value.length });
    if (resolved === 'unknown') return 'unknown';
    if (resolved === undefined) return false;
    return compileGlob(resolved)(value, scope.budget);
  };
}

// A function of its own, so that the closure keeps only the matcher: a session policy can hold hundreds of them.
function constantTest(tokens: readonly GlobToken[]): ValueTest {
  const matches = compileGlob(tokens);
  return (value, scope) => matches(value, scope.budget);
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
      const text = resolve(token, scope);
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
