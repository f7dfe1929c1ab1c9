/** A table in the form that Biome leaves as it is: columns are padded to their widest cell. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [headings, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = headings.map((_, column) => Math.max(3, ...cells.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[], filler = ' '): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0, filler)).join(' | ')} |`;
  const [first = [], ...others] = cells;
  const rule = line(
    headings.map(() => '-'),
    '-',
  );
  return `${[line(first), rule, ...others.map((row) => line(row))].join('\n')}\n`;
}
