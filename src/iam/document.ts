import { JsonError, parseJson } from '../core/json.ts';
import { isMapping } from '../core/mapping.ts';
import { countPolicyCharacters, maxStatements, maxValues, policyCharacterLimits } from './limits.ts';
import { PolicyDocumentError, type PolicyProblem, quoted } from './problem.ts';
import { type PolicyKind, type PolicyStatement, parseStatement } from './statement.ts';

export { PolicyDocumentError } from './problem.ts';
export type { PolicyKind, PolicyStatement } from './statement.ts';

/** A policy document that passed every check of its kind. */
export interface PolicyDocument {
  readonly kind: PolicyKind;
  /** Only `2012-10-17` interprets `${…}`; an absent Version means 2008. */
  readonly version: '2008-10-17' | '2012-10-17';
  readonly id: string | undefined;
  /** Its size as it counts towards quotas. */
  readonly characters: number;
  /** At least one, in the order of the document. */
  readonly statements: readonly PolicyStatement[];
}

const elements: ReadonlySet<string> = new Set(['Version', 'Id', 'Statement']);

/**
 * Checks and normalises a policy that was parsed from JSON or YAML (IAM JSON policy reference, "Grammar of the IAM JSON
 * policy language"). A malformed policy is refused here and never at decision time.
 * @throws PolicyDocumentError with every problem.
 */
export function parsePolicyDocument(source: unknown, kind: PolicyKind): PolicyDocument {
  const problems: PolicyProblem[] = [];
  if (!isMapping(source)) throw new PolicyDocumentError([{ path: '', message: 'must be an object' }]);
  const characters = checkSize(source, kind, problems);
  for (const name of Object.keys(source)) {
    if (!elements.has(name)) problems.push({ path: '', message: `unknown element ${quoted(name)}` });
  }
  const version = source['Version'] === undefined ? '2008-10-17' : source['Version'];
  if (version !== '2008-10-17' && version !== '2012-10-17') {
    throw new PolicyDocumentError([
      ...problems,
      { path: 'Version', message: 'must be "2012-10-17" or "2008-10-17"' },
    ]);
  }
  const id = source['Id'];
  if (id !== undefined && typeof id !== 'string') problems.push({ path: 'Id', message: 'must be a string' });
  const reading = { kind, hasVariables: version === '2012-10-17', problems };
  const sources = readStatements(source['Statement'], problems);
  const statements = sources.flatMap((statement, index) => parseStatement(statement, index, reading) ?? []);
  checkStatements(statements, problems);
  if (problems.length > 0) throw new PolicyDocumentError(problems);
  return { kind, version, id: typeof id === 'string' ? id : undefined, characters, statements };
}

/**
 * {@link parsePolicyDocument} for JSON text. Size and repeated keys are checked on the text itself; a session policy is
 * measured as sent.
 * @throws PolicyDocumentError with every problem.
 */
export function parsePolicyText(text: string, kind: PolicyKind): PolicyDocument {
  if (kind === 'session' && text.length > policyCharacterLimits.session) {
    const message = `is longer than ${policyCharacterLimits.session} characters`;
    throw new PolicyDocumentError([{ path: '', message }]);
  }
  let source: unknown;
  try {
    source = parseJson(text, { maxBytes: maxTextBytes });
  } catch (error) {
    if (error instanceof JsonError) throw new PolicyDocumentError([{ path: '', message: error.message }]);
    throw error;
  }
  return parsePolicyDocument(source, kind);
}

/** Three times the largest quota: white space does not count towards quotas, but is not unlimited. */
const maxTextBytes = 3 * policyCharacterLimits.bucket;

const characterLimits: Readonly<Record<PolicyKind, number>> = {
  // The larger of managed and inline; the tighter quota is checked where the policy is attached.
  identity: policyCharacterLimits.inlinePerRole,
  boundary: policyCharacterLimits.managed,
  session: policyCharacterLimits.session,
  trust: policyCharacterLimits.trust,
  resource: policyCharacterLimits.bucket,
};

function checkSize(source: unknown, kind: PolicyKind, problems: PolicyProblem[]): number {
  const limit = characterLimits[kind];
  let characters = 0;
  try {
    characters = countPolicyCharacters(source);
  } catch {
    // Unlike JSON, YAML can hold cycles and big integers.
    problems.push({ path: '', message: 'must be plain data that JSON can express' });
  }
  if (characters > limit) {
    problems.push({ path: '', message: `is longer than ${limit} characters, white space not counted` });
  }
  return characters;
}

function readStatements(value: unknown, problems: PolicyProblem[]): readonly unknown[] {
  const statements: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (value === undefined || statements.length === 0) {
    problems.push({ path: 'Statement', message: 'must hold at least one statement' });
    return [];
  }
  if (statements.length > maxStatements) {
    problems.push({ path: 'Statement', message: `must not hold more than ${maxStatements} statements` });
    return [];
  }
  return statements;
}

function checkStatements(statements: readonly PolicyStatement[], problems: PolicyProblem[]): void {
  const sids = new Set<string>();
  let values = 0;
  for (const { index, sid, actions, resources, principals, conditions } of statements) {
    if (sid !== undefined && sids.has(sid)) {
      problems.push({ path: `Statement[${index}].Sid`, message: `repeats ${quoted(sid)}` });
    }
    if (sid !== undefined) sids.add(sid);
    values += actions.values.length + (resources?.values.length ?? 0) + (principals?.values.length ?? 0);
    for (const condition of conditions) values += condition.values.length;
  }
  if (values > maxValues) {
    problems.push({ path: 'Statement', message: `must not hold more than ${maxValues} values altogether` });
  }
}
