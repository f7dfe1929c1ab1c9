import { countNextSteps, countSteps } from './count-steps.ts';

/** Writes a text of about that many characters. */
export type Family = readonly [name: string, write: (size: number) => string];

const pieces = [
  ...[
    '<',
    '>',
    '</',
    '/>',
    '<!',
    '<!--',
    '-->',
    '--',
    '<![CDATA[',
    ']]>',
    ']]',
    '<?',
    '?>',
    '<a>',
    '</a>',
    '<a/>',
  ],
  ...[
    '<a b="',
    '<a b=""',
    ' b=""',
    ' xmlns:a="b"',
    '&',
    '&amp;',
    '&#',
    '&#65;',
    ';',
    '"',
    "'",
    '=',
    '=a',
    'a=',
    'a=b&',
  ],
  ...[
    '[',
    ']',
    '[]',
    '{',
    '}',
    '{}',
    '{"a":',
    '"a":1,',
    ':',
    'a:',
    ',',
    '\\',
    '\\"',
    '\\u0041',
    '%',
    '%41',
    '%4',
    '%2',
    '+',
  ],
  ...[
    '.',
    '..',
    '...',
    '/',
    '//',
    './',
    '../',
    '?',
    '#',
    '@',
    '*',
    '*a',
    '?*',
    '$',
    '${',
    '$' + '{a}',
    '-',
    '- ',
    '? ',
    '|',
    '~',
  ],
  ...[
    ' ',
    '\t',
    '\n',
    '\r',
    '\r\n',
    '\n ',
    '\0',
    '\x7f',
    'a',
    'a ',
    'aA',
    '0',
    '00',
    '1',
    '-1',
    '1.',
    'e1',
    '_',
    'é',
    '😀',
    '!',
    '!!a ',
    '&a ',
    '*a\n',
  ],
] as const;

/** Runs of one piece, whole and with an end that fits nothing. */
const runs: readonly Family[] = pieces.flatMap((piece): Family[] => [
  [`a run of ${JSON.stringify(piece)}`, (size) => piece.repeat(Math.ceil(size / piece.length))],
  [
    `a run of ${JSON.stringify(piece)} and more`,
    (size) => `${piece.repeat(Math.ceil(size / piece.length))}\u0001x`,
  ],
]);

/** A list of different things, because repeated names are often refused at once. */
function numbered(write: (index: number) => string, separator: string): (size: number) => string {
  return (size) => {
    const parts: string[] = [];
    for (let length = 0; length < size; length += parts.at(-1)?.length ?? 1)
      parts.push(write(parts.length) + separator);
    return parts.join('').slice(0, -separator.length || undefined);
  };
}

const lists: readonly Family[] = [
  ['elements', numbered((index) => `<e${index}/>`, '')],
  ['elements with text', numbered((index) => `<e>${index}</e>`, '\n')],
  ['nested elements', (size) => nested('<a>', '</a>', size)],
  ['attributes', numbered((index) => `a${index}="1"`, ' ')],
  ['declarations', numbered((index) => `xmlns:a${index}="u"`, ' ')],
  ['members of an object', numbered((index) => `"k${index}":${index}`, ',')],
  ['strings', numbered((index) => `"k${index}"`, ',')],
  ['numbers', numbered(String, ',')],
  ['objects', numbered((index) => `{"a":${index}}`, ',')],
  ['nested objects', (size) => nested('{"a":', '}', size)],
  ['nested lists', (size) => nested('[', ']', size)],
  ['parameters', numbered((index) => `p${index}=v`, '&')],
  ['encoded parameters', numbered((index) => `%61${index}=%2B+`, '&')],
  ['members of a list', numbered((index) => `Tags.member.${index + 1}.Key=k`, '&')],
  ['names', numbered((index) => `n${index}`, ';')],
  ['words', numbered((index) => `w${index}`, ' ')],
  ['pairs', numbered((index) => `k${index}=v`, ', ')],
  ['lines', numbered((index) => `k${index}: v`, '\n')],
  ['lines deeper and deeper', deeper],
  ['items', numbered((index) => `- i${index}`, '\n')],
  ['items that are objects', numbered((index) => `- a: ${index}\n  b: c`, '\n')],
  ['anchors', numbered((index) => `k${index}: &a${index} v`, '\n')],
  ['aliases', (size) => `k: &a v\n${numbered((index) => `k${index}: *a`, '\n')(size)}`],
  ['tags', numbered((index) => `k${index}: !t${index} v`, '\n')],
  ['comments', numbered((index) => `# ${index}`, '\n')],
  ['a block of text', (size) => `k: |\n${'  x\n'.repeat(Math.ceil(size / 4))}`],
  ['folded text', (size) => `k: >\n${'  x\n\n'.repeat(Math.ceil(size / 5))}`],
  ['documents', numbered(() => '---\na', '\n')],
];

function nested(open: string, close: string, size: number): string {
  const depth = Math.ceil(size / (open.length + close.length));
  return open.repeat(depth) + close.repeat(depth);
}

/** A line of YAML below the other; their indentation makes the text grow with the square of their number. */
function deeper(size: number): string {
  const depth = Math.ceil(Math.sqrt(2 * size));
  return Array.from({ length: depth }, (_, index) => `${' '.repeat(index)}k:`).join('\n');
}

/** Texts on which a parser might spend too long. */
const hostileFamilies: readonly Family[] = [...runs, ...lists];

/** The places of a document in which a hostile text stands. */
export type Frames = readonly ((text: string) => string)[];

/** Steps that do not depend on the text: building errors, looking tables up. */
const fixedSteps = 5_000;
/** A little more than double, as the numbers in a list have more digits. */
const maxGrowth = 2.25;

/**
 * The families whose steps more than double when the text does, with the steps in all frames together; empty for a linear
 * parser. A refusal is an answer too.
 */
export async function superLinear(
  read: (text: string) => unknown,
  frames: Frames = [(text) => text],
  size = 2_000,
): Promise<string[]> {
  const steps = (texts: readonly string[]): Promise<number> =>
    countNextSteps(async () => {
      for (const text of texts) await answer(read, text);
    });
  await countSteps(() => Promise.resolve());
  const found: string[] = [];
  for (const [name, write] of hostileFamilies) {
    const few = await steps(frames.map((frame) => frame(write(size))));
    const many = await steps(frames.map((frame) => frame(write(2 * size))));
    if (many > maxGrowth * few + fixedSteps) found.push(`${name}: ${few} → ${many}`);
  }
  return found;
}

async function answer(read: (text: string) => unknown, text: string): Promise<void> {
  try {
    await read(text);
  } catch {
    // Refused.
  }
}
