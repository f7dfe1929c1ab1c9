import {
  type DocumentOptions,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  type ParsedNode,
  type ParseOptions,
  parseAllDocuments,
  type SchemaOptions,
  type YAMLMap,
  type Document as YamlFile,
} from 'yaml';
import type { Path } from './path.ts';
import { faultMessages, findDeepNesting, type YamlFault } from './yaml-faults.ts';
import { YamlReader } from './yaml-reader.ts';

/** A place in a file, both from 1. */
export interface SourcePosition {
  readonly line: number;
  readonly column: number;
}

/** A parsed YAML file: plain values, and where in the text they came from. */
export interface YamlDocument {
  /** Mappings have a null prototype; numbers and booleans only where their text is the canonical one. */
  readonly value: unknown;
  /** Where the value at `path` starts, or the nearest one around it. */
  positionOf(path: Path): SourcePosition;
  /** Where the last key of `path` starts. */
  keyPositionOf(path: Path): SourcePosition;
}

/** The document, unless the text is not even YAML, and everything wrong with the text as YAML. */
export interface YamlResult {
  readonly document: YamlDocument | undefined;
  readonly faults: readonly { readonly position: SourcePosition; readonly message: string }[];
}

/**
 * Parses one YAML 1.2 document (core schema) strictly: repeated keys, further documents, other versions and unknown tags
 * are faults, `<<` is a key like any other, and aliases may not multiply the document beyond a fixed number of values.
 */
export function parseYaml(text: string): YamlResult {
  const lines = new LineCounter();
  const deep = findDeepNesting(text);
  if (deep !== undefined) {
    addLines(text, lines);
    return { document: undefined, faults: [locateFault(deep, lines)] };
  }
  const documents = parseAllDocuments(text, { ...parserOptions, lineCounter: lines });
  const [first, second] = Array.isArray(documents) ? documents : [];
  if (first === undefined || isEmpty(first)) return emptyFile(lines);
  // After any other fault the rest of the tree may not be what the author meant.
  const isReliable = first.errors.every(({ code }) => code === 'TAG_RESOLVE_FAILED');
  const reader = new YamlReader();
  const value = isReliable && first.contents !== null ? reader.read(first.contents) : undefined;
  const faults = [...findFaults(first, second), ...reader.faults];
  return {
    document: isReliable ? new LocatedDocument(value, first.contents, reader, lines) : undefined,
    faults: faults.map((fault) => locateFault(fault, lines)),
  };
}

const parserOptions: ParseOptions & DocumentOptions & SchemaOptions = {
  logLevel: 'silent',
  merge: false,
  prettyErrors: false,
  resolveKnownTags: false,
  schema: 'core',
  stringKeys: true,
  // The library compares each key with all keys before it; the reader remembers them.
  uniqueKeys: false,
};

function findFaults(document: ParsedDocument, next: ParsedDocument | undefined): YamlFault[] {
  const faults = [...document.errors, ...document.warnings].map(({ code, pos }) => ({
    offset: pos[0],
    message: faultMessages[code],
  }));
  if (next !== undefined) faults.push({ offset: next.range[0], message: faultMessages.MULTIPLE_DOCS });
  const { explicit, version } = document.directives.yaml;
  if (explicit === true && version !== '1.2')
    faults.push({ offset: 0, message: 'only YAML 1.2 is supported' });
  return faults;
}

type ParsedDocument = YamlFile.Parsed;

class LocatedDocument implements YamlDocument {
  readonly value: unknown;
  readonly #root: ParsedNode | null;
  readonly #reader: YamlReader;
  readonly #lines: LineCounter;
  readonly #pairs = new Map<YAMLMap<Node, Node>, ReadonlyMap<unknown, Pair<Node, Node>>>();

  constructor(value: unknown, root: ParsedNode | null, reader: YamlReader, lines: LineCounter) {
    this.value = value;
    this.#root = root;
    this.#reader = reader;
    this.#lines = lines;
  }

  positionOf(path: Path): SourcePosition {
    return toPosition(this.#walk(path).value, this.#lines);
  }

  keyPositionOf(path: Path): SourcePosition {
    return toPosition(this.#walk(path).key, this.#lines);
  }

  /** The members of a mapping by key, the first of each; remembered, as a file may have as many problems as members. */
  #pairsOf(map: YAMLMap<Node, Node>): ReadonlyMap<unknown, Pair<Node, Node>> {
    const known = this.#pairs.get(map);
    if (known !== undefined) return known;
    const pairs = new Map<unknown, Pair<Node, Node>>();
    for (const pair of map.items) {
      if (isScalar(pair.key) && !pairs.has(pair.key.value)) pairs.set(pair.key.value, pair);
    }
    this.#pairs.set(map, pairs);
    return pairs;
  }

  /** Offsets of the last key and value found on the way. */
  #walk(path: Path): { key: number; value: number } {
    let node: Node | null | undefined = this.#root;
    let offsets = { key: startOf(node) ?? 0, value: startOf(node) ?? 0 };
    for (const part of path) {
      if (isAlias(node)) node = this.#reader.targetOf(node);
      let key: unknown;
      if (isMap<Node, Node>(node)) {
        const pair = this.#pairsOf(node).get(part);
        if (pair === undefined) break;
        key = pair.key;
        node = pair.value;
      } else if (isSeq<Node>(node) && typeof part === 'number') {
        node = node.items[part];
        key = node;
      } else {
        break;
      }
      const value: number = startOf(node) ?? startOf(key) ?? offsets.value;
      offsets = { key: startOf(key) ?? value, value };
    }
    return offsets;
  }
}

function startOf(node: unknown): number | undefined {
  return isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range?.[0] : undefined;
}

function toPosition(offset: number, lines: LineCounter): SourcePosition {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

function locateFault({ offset, message }: YamlFault, lines: LineCounter): YamlResult['faults'][number] {
  return { position: toPosition(offset, lines), message };
}

function addLines(text: string, lines: LineCounter): void {
  lines.addNewLine(0);
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines.addNewLine(at + 1);
}

/** True for a text of comments and white space only. */
function isEmpty({ contents, errors }: ParsedDocument): boolean {
  return errors.length === 0 && isScalar(contents) && contents.source === '';
}

function emptyFile(lines: LineCounter): YamlResult {
  return { document: undefined, faults: [locateFault({ offset: 0, message: 'the file is empty' }, lines)] };
}
