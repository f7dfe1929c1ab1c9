import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** One file of the shipped program. */
export interface SourceFile {
  /** Its path below `src`, for example `core/clock.ts`. */
  readonly path: string;
  readonly text: string;
}

/** Something the source may not hold. */
export interface Finding {
  readonly path: string;
  /** First line is 1. */
  readonly line: number;
  /** The piece of source, shortened. */
  readonly text: string;
}

/** Every TypeScript file below `folder`, in path order. */
export function readSources(folder: string): readonly SourceFile[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(folder, path), 'utf8') }));
}

const trees = new WeakMap<SourceFile, ts.SourceFile>();

/** The file's syntax tree, parsed once for all rules. */
function treeOf(source: SourceFile): ts.SourceFile {
  const known = trees.get(source);
  if (known !== undefined) return known;
  const tree = ts.createSourceFile(source.path, source.text, ts.ScriptTarget.ES2023, true);
  trees.set(source, tree);
  return tree;
}

/** Every piece of the file's syntax tree that `matches`; comments and the contents of strings are no pieces. */
export function findNodes(source: SourceFile, matches: (node: ts.Node) => boolean): readonly Finding[] {
  const file = treeOf(source);
  const findings: Finding[] = [];
  const visit = (node: ts.Node): void => {
    if (matches(node)) findings.push(describe(source.path, file, node));
    ts.forEachChild(node, visit);
  };
  visit(file);
  return findings;
}

/**
 * Whether the node reads the environment: `process.env` in any spelling, or `env` imported from `node:process`.
 * A whole `process` that is handed on or destructured counts too where it could be used to reach `env`.
 */
export function readsEnvironment(node: ts.Node): boolean {
  if (ts.isImportDeclaration(node)) return /^(?:node:)?process$/u.test(textOf(node.moduleSpecifier));
  if (!isUseOf(node, 'process')) return false;
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) && parent.expression === node) return parent.name.text === 'env';
  return true;
}

/**
 * Whether the node reads the machine's clock: every use of `Date` but `new Date(value)`, `Date.UTC`, `Date.parse` and
 * `instanceof Date`, which only look at given values.
 */
export function readsClock(node: ts.Node): boolean {
  if (!isUseOf(node, 'Date')) return false;
  const { parent } = node;
  if (ts.isNewExpression(parent) && parent.expression === node) return (parent.arguments ?? []).length === 0;
  if (ts.isPropertyAccessExpression(parent) && parent.expression === node) {
    return !['UTC', 'parse'].includes(parent.name.text);
  }
  if (ts.isBinaryExpression(parent)) return parent.operatorToken.kind !== ts.SyntaxKind.InstanceOfKeyword;
  return true;
}

/** Whether the node uses `console`. */
export function usesConsole(node: ts.Node): boolean {
  return isUseOf(node, 'console');
}

/** Whether the node makes something that tells the time: a property, method or function named `now`. */
export function makesClock(node: ts.Node): boolean {
  const named =
    ts.isPropertyAssignment(node) ||
    ts.isMethodDeclaration(node) ||
    ts.isPropertyDeclaration(node) ||
    ts.isShorthandPropertyAssignment(node) ||
    ts.isGetAccessorDeclaration(node);
  return named && textOf(node.name) === 'now';
}

/** Whether the node names or hands on a clock that is neither the machine's nor one that was handed in. */
export function choosesClock(node: ts.Node): boolean {
  if (!ts.isPropertyAssignment(node) && !ts.isVariableDeclaration(node)) return false;
  if (textOf(node.name) !== 'clock' || node.initializer === undefined) return false;
  return !/^(?:systemClock|(?:\w+\.)*clock)$/u.test(node.initializer.getText());
}

/** Whether the node imports the module of that file name, by `import`, `export … from` or a dynamic import. */
export function importsFile(fileName: string): (node: ts.Node) => boolean {
  return (node) => ts.isStringLiteralLike(node) && node.text.endsWith(`/${fileName}`);
}

/** The text of every string in the file, templates' fixed parts included. */
export function stringsOf(source: SourceFile): readonly string[] {
  const strings: string[] = [];
  findNodes(source, (node) => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) {
      strings.push(node.text);
    }
    return false;
  });
  return strings;
}

/** A use of the global as a value; a type, a property or a key of the same name is not one. */
function isUseOf(node: ts.Node, name: string): node is ts.Identifier {
  if (!ts.isIdentifier(node) || node.text !== name) return false;
  const { parent } = node;
  if (ts.isTypeReferenceNode(parent) || ts.isQualifiedName(parent)) return false;
  // `globalThis.Date` and `global.console` are the global again.
  if (ts.isPropertyAccessExpression(parent) && parent.name === node) {
    return /^(?:globalThis|global)$/u.test(parent.expression.getText());
  }
  const isKey =
    ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent) || ts.isMethodDeclaration(parent);
  return !(isKey && parent.name === node);
}

function textOf(node: ts.Node): string {
  return ts.isIdentifier(node) || ts.isStringLiteralLike(node) ? node.text : node.getText();
}

function describe(path: string, file: ts.SourceFile, node: ts.Node): Finding {
  const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
  return { path, line: line + 1, text: node.parent.getText(file).slice(0, 80) };
}
