import { readFileSync } from 'node:fs';
import { isMap, isScalar, type Pair, parseDocument, type YAMLMap } from 'yaml';
import { table } from './markdown.ts';

const chart = new URL('../helm/sts-sidecar/', import.meta.url);
const begin = '<!-- values: generated from values.yaml -->\n';
const end = '\n<!-- end of values -->';

/** The chart's README, with the table of its values made from `values.yaml`: each with its default and the comment before it. */
export function chartReadme(): string {
  const text = readFileSync(new URL('README.md', chart), 'utf8');
  const [before, rest = ''] = text.split(begin);
  const [, after] = rest.split(end);
  if (before === undefined || after === undefined) throw new Error('the README has no place for the values');
  const headings = ['value', 'default', 'meaning'];
  return `${before}${begin}\n${table(headings, valueRows())}${end}${after}`;
}

function valueRows(): string[][] {
  const document = parseDocument(readFileSync(new URL('values.yaml', chart), 'utf8'));
  if (!isMap(document.contents)) throw new Error('values.yaml is no mapping');
  return rowsOf(document.contents, '', document.commentBefore ?? document.contents.commentBefore);
}

/** @param first the comment before the first value, which the parser gives to the mapping */
function rowsOf(map: YAMLMap, path: string, first: string | null | undefined): string[][] {
  return map.items.flatMap((pair, index) => {
    const { key, value } = pair as Pair;
    if (!isScalar(key)) throw new Error('a value has no name');
    const name = `${path}${String(key.value)}`;
    const meaning = prose(key.commentBefore ?? (index === 0 ? first : undefined));
    if (!isMap(value) || value.flow === true || value.items.length === 0) {
      return [[`\`${name}\``, `\`${shown(value)}\``, meaning]];
    }
    const own = meaning === '' ? [] : [[`\`${name}\``, '', meaning]];
    return [...own, ...rowsOf(value, `${name}.`, value.commentBefore)];
  });
}

function shown(value: unknown): string {
  const plain = (value as { toJSON?: () => unknown }).toJSON?.();
  return JSON.stringify(plain).replaceAll('`', "'");
}

/** A comment as text of a table; two comments with an empty line between them are of different values. */
function prose(comment: string | null | undefined): string {
  const last = (comment ?? '').split('\n\n').at(-1) ?? '';
  return last
    .split('\n')
    .map((line) => line.trim())
    .join(' ')
    .replaceAll('<', '\\<');
}
