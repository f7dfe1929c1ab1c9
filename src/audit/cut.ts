const highHalf = /[\ud800-\udbff]$/;

/** A text of a client as a record has it: at most that many UTF-16 units, and one less where the last would be half of a character. */
export function cut(text: string, maxCharacters: number): string {
  return text.length <= maxCharacters ? text : `${text.slice(0, maxCharacters).replace(highHalf, '')}…`;
}
