import { quoteText } from './path.ts';

const maxLength = 64;

/** ` (did you mean "x"?)` for the candidate nearest to a mistyped word; empty when none is near. */
export function suggest(word: string, candidates: readonly string[]): string {
  if (word.length > maxLength) return '';
  let nearest: string | undefined;
  // A third of the letters may be wrong: more and the suggestion is a guess.
  let smallest = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= smallest) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance >= smallest) continue;
    smallest = distance;
    nearest = candidate;
  }
  return nearest === undefined ? '' : ` (did you mean ${quoteText(nearest)}?)`;
}

/** Fewest insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function editDistance(left: string, right: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const isSame = left[row - 1] === right[column - 1];
      let cost = Math.min(
        cell(previous, column) + 1,
        cell(current, column - 1) + 1,
        cell(previous, column - 1) + (isSame ? 0 : 1),
      );
      const isSwap = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (row > 1 && column > 1 && isSwap) cost = Math.min(cost, cell(beforePrevious, column - 2) + 1);
      current.push(cost);
    }
    beforePrevious = previous;
    previous = current;
  }
  return cell(previous, right.length);
}

function cell(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
