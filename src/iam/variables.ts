import { compileGlob, type GlobToken, parseGlob } from '../core/glob.ts';
import { quoted, type Report } from './problem.ts';
import type { EvaluationScope, Truth } from './scope.ts';

/** `${key}` or `${key, 'fallback'}`; the key is in lower case. */
interface VariableToken {
  readonly kind: 'variable';
  readonly key: string;
  readonly fallback: string | undefined;
}

/** One piece of a policy value: a piece of a pattern or a policy variable. */
export type TemplateToken = GlobToken | VariableToken;

/** Which notations of a policy value mean something. */
export interface TemplateSyntax {
  /** `*` and `?` are wildcards. */
  readonly hasWildcards: boolean;
  /** `${…}` is a variable: version 2012-10-17 only. */
  readonly hasVariables: boolean;
}

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
  return { kind: 'variable', key: key.toLowerCase(), fallback };
}

/**
 * Replaces the variables. What a request supplies becomes a text token, never a pattern. `undefined` when a variable
 * is absent, multi-valued or empty and has no default; `unknown` when one needs a look-up.
 */
function substitute(
  tokens: readonly TemplateToken[],
  scope: EvaluationScope,
): GlobToken[] | undefined | 'unknown' {
  const resolved: GlobToken[] = [];
  let isUnknown = false;
  for (const token of tokens) {
    if (token.kind !== 'variable') {
      resolved.push(token);
      continue;
    }
    const values = scope.lookUp(token.key);
    if (values === 'unknown') {
      isUnknown = true;
      continue;
    }
    const single = values?.length === 1 ? values[0] : undefined;
    const text = single === undefined || single === '' ? token.fallback : single;
    if (text === undefined) return undefined;
    resolved.push({ kind: 'text', text });
  }
  return isUnknown ? 'unknown' : resolved;
}

/** True when a template holds a variable that this request gives no single value to. */
export function isUnresolvable(tokens: readonly TemplateToken[], scope: EvaluationScope): Truth {
  if (!tokens.some((token) => token.kind === 'variable')) return false;
  const resolved = substitute(tokens, scope);
  return resolved === 'unknown' ? 'unknown' : resolved === undefined;
}

/** The text before the first wildcard or variable: every match starts with it. */
export function literalHead(tokens: readonly TemplateToken[]): string {
  let head = '';
  for (const token of tokens) {
    if (token.kind !== 'text') break;
    head += token.text;
  }
  return head;
}

/**
 * Compiles a template into a test of a whole value. `fold` is applied to the template's text, to what variables
 * supply and to the value alike, for comparisons that ignore case. An unresolvable variable matches nothing.
 */
export function compileTemplate(
  tokens: readonly TemplateToken[],
  fold: (text: string) => string = (text) => text,
): ValueTest {
  const folded = tokens.map((token) => foldToken(token, fold));
  const constant = folded.filter((token) => token.kind !== 'variable');
  if (constant.length === folded.length) {
    const matches = compileGlob(constant);
    return (value) => matches(fold(value));
  }
  const head = literalHead(folded);
  return (value, scope) => {
    const foldedValue = fold(value);
    // Most requests already differ in the constant head, and then no variable need be looked up.
    if (!foldedValue.startsWith(head)) return false;
    const resolved = substitute(folded, scope);
    if (resolved === 'unknown') return 'unknown';
    if (resolved === undefined) return false;
    return compileGlob(resolved.map((token) => foldToken(token, fold)))(foldedValue);
  };
}

function foldToken<T extends TemplateToken>(token: T, fold: (text: string) => string): T {
  return token.kind === 'text' ? { ...token, text: fold(token.text) } : token;
}
