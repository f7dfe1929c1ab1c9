import { foldCase } from '../core/fold-case.ts';
import { type GlobToken, parseGlob } from '../core/glob.ts';
import { isMultiValued } from './multi-valued-keys.ts';
import { quoted, type Report } from './problem.ts';
import { type EvaluationScope, type Truth, waiting } from './scope.ts';

/** `${key}` or `${key, 'fallback'}`; the key is in lower case. */
export interface VariableToken {
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

/** The value of a variable in this request, or its default; `undefined` when it has neither. */
export function resolveVariable(
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
 * A policy value as this request reads it, for explanations: what each variable stands for takes its place. One that does not resolve
 * stays as it is, and so do the escapes `${*}`, `${?}` and `${$}`, and what may be part of an object key or a secret.
 * @param text of a document whose values have variables, or the beginning of such a text
 */
export function withVariables(text: string, scope: EvaluationScope): string {
  return text.replaceAll(/\$\{([^}]*)\}/g, (whole, body: string) => {
    const token = parseVariable(body);
    if (token?.kind !== 'variable' || token.key.startsWith('s3:') || token.key === 'aws:referer')
      return whole;
    const value = resolveVariable(token, scope);
    return typeof value === 'string' ? value : whole;
  });
}

/** True when a template holds a variable that this request does not resolve. */
export function isUnresolvable(tokens: readonly TemplateToken[], scope: EvaluationScope): Truth {
  let result: Truth = false;
  for (const token of tokens) {
    if (token.kind !== 'variable') continue;
    const text = resolveVariable(token, scope);
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
