/**
 * Folds a text for comparisons that ignore case: every code point alone is put in lower case by the Unicode tables, and
 * the final sigma (ς) becomes the other one. Neither the locale nor the neighbours matter, so folding the pieces of a
 * text gives the pieces of the folded text; `toLowerCase` of a whole word does not have that property.
 */
export function foldCase(text: string): string {
  // Within ASCII no letter depends on another.
  if (!/[^\0-\x7f]/.test(text)) return text.toLowerCase();
  let folded = '';
  for (const character of text) folded += character === 'ς' ? 'σ' : character.toLowerCase();
  return folded;
}
