/**
 * What a failed program said, short enough for an error: the first and the last 4,000 characters. A traceback ends with
 * the error, and a refusal begins with its code and ends with what may be longer than all the rest.
 */
export function abridge(text: string): string {
  return text.length <= 8000 ? text : `${text.slice(0, 4000)} … ${text.slice(-4000)}`;
}
