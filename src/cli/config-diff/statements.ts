import { fingerprintOf } from '../../core/fingerprint.ts';
import type { PolicyDocument, PolicyStatement } from '../../iam/document.ts';
import { compileActions } from '../../iam/match-action.ts';
import { compileRange, mayMatch, type ResourceRange } from '../../iam/match-resource.ts';
import { everyAction, type KnownAction } from '../policy/known-actions.ts';

/** A statement beside where it stands. */
export interface PlacedStatement {
  /** Of two configurations, statements with the same signature decide the same. */
  readonly signature: string;
  readonly statement: PolicyStatement;
  readonly hasVariables: boolean;
}

const placed = new WeakMap<PolicyDocument, readonly PlacedStatement[]>();

/** The statements of a document, if there is one. */
export function statementsOf(document: PolicyDocument | undefined): readonly PlacedStatement[] {
  if (document === undefined) return [];
  const known = placed.get(document);
  if (known !== undefined) return known;
  const hasVariables = document.version === '2012-10-17';
  const made = document.statements.map((statement) => ({
    signature: signatureOf(statement, hasVariables),
    statement,
    hasVariables,
  }));
  placed.set(document, made);
  return made;
}

/** Documents with the same signature decide the same: the order of statements and of values, `Sid` and `Id` do not count. */
export function documentSignature(document: PolicyDocument): string {
  return statementsOf(document)
    .map(({ signature }) => signature)
    .sort()
    .join();
}

function signatureOf(statement: PolicyStatement, hasVariables: boolean): string {
  const { effect, actions, resources, principals, conditions } = statement;
  return fingerprintOf([
    hasVariables,
    effect,
    [actions.isNegated, sorted(actions.values.map(({ service, name }) => `${service}:${name}`))],
    resources === undefined
      ? []
      : [resources.isNegated, sorted(resources.values.map(({ source }) => source))],
    principals === undefined
      ? []
      : [principals.isNegated, sorted(principals.values.map((one) => JSON.stringify(one)))],
    sorted(conditions.map(({ operator, key, values }) => JSON.stringify([operator, key, sorted(values)]))),
  ]);
}

function sorted(texts: readonly string[]): readonly string[] {
  return [...texts].sort();
}

const actionsOf = new WeakMap<PolicyStatement, readonly KnownAction[]>();

/** The actions that a statement is about, as far as policies decide them. */
export function knownActionsOf(statement: PolicyStatement): readonly KnownAction[] {
  const known = actionsOf.get(statement);
  if (known !== undefined) return known;
  const { isNegated, values } = statement.actions;
  const matches = compileActions(values);
  const made = everyAction().filter(({ action }) => matches(action.toLowerCase()) !== isNegated);
  actionsOf.set(statement, made);
  return made;
}

const rangesOf = new WeakMap<PolicyStatement, readonly ResourceRange[]>();

/** False only when the statement cannot apply to the resource. */
export function mayConcern(statement: PolicyStatement, resource: string): boolean {
  const { resources } = statement;
  if (resources === undefined || resources.isNegated) return true;
  const ranges = rangesOf.get(statement) ?? resources.values.map(compileRange);
  rangesOf.set(statement, ranges);
  return ranges.some((range) => mayMatch(range, resource));
}

/** The statements that stand on one side alone, how often they stand there counted. */
export function changedStatements(
  before: readonly PlacedStatement[],
  after: readonly PlacedStatement[],
): readonly PlacedStatement[] {
  return [...withoutThoseOf(before, after), ...withoutThoseOf(after, before)];
}

function withoutThoseOf(
  all: readonly PlacedStatement[],
  others: readonly PlacedStatement[],
): readonly PlacedStatement[] {
  const signatures = new Set(others.map(({ signature }) => signature));
  return all.filter(({ signature }) => !signatures.has(signature));
}
