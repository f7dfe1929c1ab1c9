/** Where a value stands in the configuration: keys of mappings and indexes of lists. */
export type Path = readonly (string | number)[];

const plainKey = /^[A-Za-z_$][\w$-]*$/;
const maxKeyLength = 64;

/** Writes a path as `directory.roles[2].trustPolicy`; keys that are no plain words are quoted in brackets. */
export function formatPath(path: Path): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (!plainKey.test(part) || part.length > maxKeyLength) text += `[${quoteText(part)}]`;
    else text += text === '' ? part : `.${part}`;
  }
  return text;
}

/** Reads the path of a policy problem, for example `Statement[0].Condition.StringEquals`, as far as it is one. */
export function parsePolicyPath(text: string): Path {
  const parts = text.match(/[^.[\]]+/g) ?? [];
  return parts.map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

/** Quotes a name from the configuration for a message, shortened. */
export function quoteText(text: string): string {
  return JSON.stringify(text.length > maxKeyLength ? `${text.slice(0, maxKeyLength)}…` : text);
}
