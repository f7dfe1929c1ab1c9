/**
 * The cells of the rows of a table in a page, found by its head; white space does not matter, nor do the quotes of code. Throws
 * where there is no such table.
 */
export function rowsAfter(text: string, head: string): string[][] {
  const lines = text.split('\n').map((line) => line.replaceAll(/\s+/g, ' '));
  const start = lines.indexOf(head);
  if (start < 0) throw new Error(`the page has no table ${head}`);
  const rest = lines.slice(start + 2);
  const end = rest.findIndex((line) => !line.startsWith('|'));
  return rest.slice(0, end < 0 ? undefined : end).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim().replace(/^`(.*)`$/, '$1')),
  );
}
