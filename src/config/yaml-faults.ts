import { type ErrorCode, Lexer } from 'yaml';

/** One thing that makes a text no acceptable YAML document. */
export interface YamlFault {
  /** Position in the text in UTF-16 units, from 0. */
  readonly offset: number;
  readonly message: string;
}

/**
 * What to say for each error of the parser. Its own messages may quote the text, and with it a secret, so they are
 * never shown.
 */
export const faultMessages: Readonly<Record<ErrorCode, string>> = {
  ALIAS_PROPS: 'an alias must not carry an anchor or a tag',
  BAD_ALIAS: 'malformed anchor or alias',
  BAD_COLLECTION_TYPE: 'the tag does not fit the value',
  BAD_DIRECTIVE: 'malformed YAML directive',
  BAD_DQ_ESCAPE: 'invalid escape sequence in a quoted string',
  BAD_INDENT: 'wrong indentation, or a list or mapping that is not closed',
  BAD_PROP_ORDER: 'misplaced anchor or tag',
  BAD_SCALAR_START: 'the value starts with a reserved character: quote it',
  BLOCK_AS_IMPLICIT_KEY: 'a mapping cannot start here: indent it on its own line, or quote the value',
  BLOCK_IN_FLOW: 'a block list or mapping inside brackets',
  DUPLICATE_KEY: 'the key is repeated',
  IMPOSSIBLE: 'malformed YAML',
  KEY_OVER_1024_CHARS: 'the key is longer than 1024 characters',
  MISSING_CHAR: 'a character is missing: a closing quote, a comma, a colon or a space',
  MULTILINE_IMPLICIT_KEY: 'the key spans several lines: a colon or a quote may be missing',
  MULTIPLE_ANCHORS: 'the value has more than one anchor',
  MULTIPLE_DOCS: 'the file must hold one YAML document',
  MULTIPLE_TAGS: 'the value has more than one tag',
  NON_STRING_KEY: 'keys must be plain text',
  RESOURCE_EXHAUSTION: 'nested too deeply',
  TAB_AS_INDENT: 'tabs cannot indent YAML: use spaces',
  TAG_RESOLVE_FAILED: 'unknown YAML tag',
  UNEXPECTED_TOKEN: 'unexpected text',
};

/** Deepest nesting of lists and mappings; a policy in the directory needs about ten levels. */
export const maxDepth = 64;

/**
 * Looks for nesting that the recursive parser should never see: brackets, and list dashes in a row on one line.
 * Deeper indentation needs so much text that the parser's own check is enough.
 */
export function findDeepNesting(text: string): YamlFault | undefined {
  let offset = 0;
  let brackets = 0;
  let indicators = 0;
  for (const lexeme of new Lexer().lex(text)) {
    if (lexeme === '[' || lexeme === '{') brackets += 1;
    else if (lexeme === ']' || lexeme === '}') brackets -= 1;
    else if (lexeme === '-' || lexeme === '?') indicators += 1;
    else if (lexeme.includes('\n')) indicators = 0;
    if (brackets > maxDepth || indicators > maxDepth) {
      return { offset: Math.min(offset, text.length), message: faultMessages.RESOURCE_EXHAUSTION };
    }
    // The lexer marks documents, plain scalars and the like with single control characters of its own.
    if (!/^[\u0002\u0018\u001f\ufeff]$/.test(lexeme)) offset += lexeme.length;
  }
  return undefined;
}
