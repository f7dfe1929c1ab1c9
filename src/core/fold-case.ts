/**
 * Folds a text for comparisons that ignore case. Each code point is lower-cased on its own by the Unicode tables, and the
 * final sigma (ς) becomes σ. The result depends neither on the locale nor on neighbouring characters, so folding the pieces
 * of a text equals folding the whole; `toLowerCase` of a whole word does not have that property.
 */
export function foldCase(text: string): string {
  // In ASCII text, `toLowerCase` has that property.
  if (!/[^\0-\x7f]/.test(text)) return text.toLowerCase();
  let folded = '';
  for (const character of text) folded += character === 'ς' ? 'σ' : character.toLowerCase();
  return folded;
}
