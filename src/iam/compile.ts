import { foldCase } from '../core/fold-case.ts';
import type { CompiledStatement } from './compiled-statement.ts';
import type { PolicyDocument, PolicyKind, PolicyStatement } from './document.ts';
import { compileActions } from './match-action.ts';
import { compileNotPrincipals, compilePrincipals, type PrincipalTest } from './match-principal.ts';
import {
  commonPrefix,
  compileNotResources,
  compileRange,
  compileResources,
  namedBuckets,
  type ResourceRange,
  type ResourceTest,
} from './match-resource.ts';
import { StatementIndex, smallIndex, wholeIndex } from './statement-index.ts';
import { variableKeys } from './variables.ts';

export type { CompiledStatement, StatementReference } from './compiled-statement.ts';

/** A policy compiled for decisions; safe to share between requests and to cache. */
export interface CompiledPolicy {
  readonly name: string;
  readonly kind: PolicyKind;
  /** The size of the document; the step budget of a decision grows with it. */
  readonly characters: number;
  /** True when `${…}` is a variable in its values. */
  readonly hasVariables: boolean;
  /** Every statement, in the order of the document. */
  readonly statements: readonly CompiledStatement[];
  /** Every context key that conditions and variables refer to, in lower case. */
  readonly contextKeys: ReadonlySet<string>;
  /** Finds the statements that could apply to a request. */
  readonly index: StatementIndex;
}

/**
 * Compiles a parsed document.
 * @param name appears in every {@link StatementReference}; for example the ARN or the inline policy's name.
 */
export function compilePolicy(document: PolicyDocument, name: string): CompiledPolicy {
  const statements = document.statements.map((statement) => compileStatement(statement, name));
  const contextKeys = new Set(document.statements.flatMap(keysOfStatement));
  const { kind, characters } = document;
  const hasVariables = document.version === '2012-10-17';
  const index = new StatementIndex(statements, kind === 'session' ? smallIndex : wholeIndex);
  return { name, kind, characters, hasVariables, statements, contextKeys, index };
}

function keysOfStatement({ conditions, resources }: PolicyStatement): string[] {
  const inResources = resources?.values.flatMap(({ tail }) => variableKeys(tail)) ?? [];
  return [...inResources, ...conditions.flatMap(({ key, values }) => [key, ...values.flatMap(namedKeys)])];
}

// Errs on the side of naming a key: text that only looks like a variable counts as one.
function namedKeys(value: string): string[] {
  return [...value.matchAll(/\$\{\s*([^,}]+)/g)].map(([, key = '']) => foldCase(key.trim()));
}

function compileStatement(statement: PolicyStatement, policy: string): CompiledStatement {
  const { index, sid, effect, actions, resources } = statement;
  const ranges = resources?.values.map(compileRange) ?? [];
  const matchesListedAction = compileActions(actions.values);
  return {
    reference: sid === undefined ? { policy, index } : { policy, sid, index },
    effect,
    matchesAction: actions.isNegated ? (action) => !matchesListedAction(action) : matchesListedAction,
    buckets: resources === undefined || resources.isNegated ? undefined : namedBuckets(resources.values),
    resourcePrefix: resources === undefined || resources.isNegated ? '' : commonPrefix(resources.values),
    ranges,
    excludesResources: resources?.isNegated ?? false,
    matchesResource: compileResourceElement(statement, ranges),
    principalLevel: compilePrincipalElement(statement),
    conditions: statement.conditions,
  };
}

function compileResourceElement(
  { resources, effect }: PolicyStatement,
  ranges: readonly ResourceRange[],
): ResourceTest {
  if (resources === undefined) return () => true;
  return resources.isNegated
    ? compileNotResources(resources.values, ranges, effect)
    : compileResources(ranges);
}

function compilePrincipalElement({ principals, effect }: PolicyStatement): PrincipalTest | undefined {
  if (principals === undefined) return undefined;
  return principals.isNegated
    ? compileNotPrincipals(principals.values)
    : compilePrincipals(principals.values, effect);
}
