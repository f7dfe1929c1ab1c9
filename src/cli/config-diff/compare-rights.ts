import { iamArn } from '../../directory/managed-policies.ts';
import { bucketPolicies, trustPolicies } from './changed-policies.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import { movedDenies, namedSessions, type Person, personsOf } from './persons.ts';
import { type Asked, type Comparison, type Pair, questionsOf } from './questions.ts';
import { unusedName } from './samples.ts';
import type { Side } from './side.ts';

/** A decision that is not the same on both sides. */
export interface RightsChange {
  /** For people: `role data-reader`. */
  readonly principal: string;
  readonly asked: Asked;
  readonly before: Outcome;
  readonly after: Outcome;
}

/** What {@link compareRights} found. */
export interface RightsComparison {
  readonly changes: readonly RightsChange[];
  /** Callers whose policies gave more questions than were asked. */
  readonly incomplete: readonly string[];
  readonly questions: number;
}

/** How many questions are asked. */
export interface QuestionBounds {
  readonly perCaller: number;
  readonly altogether: number;
}

/** About half a minute of work, and memory for as many answers. */
const defaultBounds: QuestionBounds = { perCaller: 25_000, altogether: 250_000 };

/** Asks both sides about every caller of either. */
export function compareRights(
  before: Side,
  after: Side,
  nowMs: number,
  bounds: QuestionBounds = defaultBounds,
): RightsComparison {
  const comparison: Comparison = {
    before,
    after,
    buckets: bucketPolicies(before, after),
    roles: trustPolicies(before, after),
    name: unusedName(patternsOf(before, after)),
  };
  const named = { sessions: namedSessions(before, after), denies: movedDenies(before, after) };
  const old = personsOf(before, named, nowMs);
  const next = personsOf(after, named, nowMs);
  const changes: RightsChange[] = [];
  const incomplete: string[] = [];
  let questions = 0;
  for (const principal of new Set([...old.keys(), ...next.keys()])) {
    const pair = { before: old.get(principal), after: next.get(principal) };
    let left = Math.min(bounds.perCaller, bounds.altogether - questions);
    for (const asked of questionsOf(pair, comparison)) {
      if (left === 0) {
        incomplete.push(principal);
        break;
      }
      left -= 1;
      questions += 1;
      const answers = answersTo(asked, pair, comparison, nowMs);
      if (!isSame(answers.before, answers.after)) changes.push({ principal, asked, ...answers });
    }
  }
  return { changes, incomplete, questions };
}

function* patternsOf(...sides: readonly Side[]): Generator<string> {
  for (const { records } of sides) {
    const { users, roles, policies, bucketPolicies: buckets } = records;
    const inline = [...users, ...roles].flatMap(({ inlinePolicies }) => inlinePolicies);
    for (const { document } of [...policies, ...buckets, ...inline]) {
      for (const { resources } of document.statements) {
        for (const { source } of resources?.values ?? []) yield source;
      }
    }
  }
}

function isSame(one: Outcome, other: Outcome): boolean {
  if (one.effect !== 'depends' || other.effect !== 'depends') return one.effect === other.effect;
  return one.signature === other.signature;
}

function answersTo(
  asked: Asked,
  pair: Pair,
  { before, after }: Comparison,
  nowMs: number,
): Pick<RightsChange, 'before' | 'after'> {
  return {
    before: answerOf(asked, pair.before, before, nowMs),
    after: answerOf(asked, pair.after, after, nowMs),
  };
}

/** A caller or role that does not exist has no rights. */
function answerOf(asked: Asked, person: Person | undefined, side: Side, nowMs: number): Outcome {
  const resource = resourceOf(asked, side);
  if (person === undefined || resource === undefined) return { effect: 'deny' };
  const { asker } = person;
  const contextKeys = contextKeysOf(asked, person, side);
  return outcomeOf({ known: asked.known, resource, asker, contextKeys, nowMs }, side.world);
}

/** The ARN that is asked about; `undefined` for a role that the side does not have. */
export function resourceOf(
  { kind, place }: Asked,
  { records: { account }, roles }: Side,
): string | undefined {
  switch (kind) {
    case 's3':
      return `arn:${account.partition}:s3:::${place}`;
    case 'role':
      return roles.get(place)?.arn;
    case 'federated-user':
      return iamArn(account, `federated-user/${place}`).replace(':iam:', ':sts:');
    case 'none':
      return place;
  }
}

function contextKeysOf({ kind, place }: Asked, { asker }: Person, side: Side): ReadonlySet<string> {
  const { directory } = side.world;
  const entity = asker.kind === 'caller' ? asker.caller.entity : undefined;
  const own = [...(entity?.policies ?? []), ...(entity?.boundary === undefined ? [] : [entity.boundary])];
  const shared =
    kind === 's3'
      ? directory.bucketPolicy(place.split('/', 1)[0] ?? '')
      : kind === 'role'
        ? side.roles.get(place)?.trustPolicy
        : undefined;
  return new Set([...own, ...(shared === undefined ? [] : [shared])].flatMap((one) => [...one.contextKeys]));
}
