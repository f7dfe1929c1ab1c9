import { assumeRole, setSourceIdentity, tagSession } from '../../sts/grants/trust-question.ts';
import type { KnownAction } from '../policy/known-actions.ts';
import { isAbout, type SharedPolicy } from './changed-policies.ts';
import type { Person } from './persons.ts';
import { everything, type Sample, samplesOf } from './samples.ts';
import type { Side } from './side.ts';
import {
  changedStatements,
  knownActionsOf,
  mayConcern,
  type PlacedStatement,
  statementsOf,
} from './statements.ts';

/** What is asked of both sides. */
export interface Asked {
  readonly known: KnownAction;
  readonly kind: 's3' | 'role' | 'federated-user' | 'none';
  /** `bucket/key`, or the name of the role or federated user. */
  readonly place: string;
  /** For people: `data/*`, `role reader`. */
  readonly label: string;
}

/** A caller on both sides; `undefined` where it does not exist. */
export interface Pair {
  readonly before: Person | undefined;
  readonly after: Person | undefined;
}

/** What the questions of all callers have in common. */
export interface Comparison {
  readonly before: Side;
  readonly after: Side;
  readonly buckets: ReadonlyMap<string, SharedPolicy>;
  readonly roles: ReadonlyMap<string, SharedPolicy>;
  /** Stands for `*`. */
  readonly name: string;
}

/**
 * The questions about one caller whose answers can differ: every action of a statement that stands on one side alone, on every place
 * that the statement may concern and that a policy of either side names. Each is asked once.
 */
export function* questionsOf(pair: Pair, comparison: Comparison): Generator<Asked> {
  const seen = new Set<string>();
  for (const asked of allQuestions(pair, comparison)) {
    const key = `${asked.known.action} ${asked.kind} ${asked.place}`;
    if (seen.has(key)) continue;
    seen.add(key);
    yield asked;
  }
}

function* allQuestions(pair: Pair, comparison: Comparison): Generator<Asked> {
  const { before, after } = pair;
  // A boundary that appears or goes is about everything that the caller may do, whatever grants it.
  const isOther =
    before === undefined ||
    after === undefined ||
    before.facts !== after.facts ||
    before.boundary.length !== after.boundary.length;
  const all = [...ownStatements(before), ...ownStatements(after)];
  const own = isOther ? all : changedOwn(before, after);
  const samplesIn = sampler(pair, comparison);
  const places = new Map(all.flatMap((one) => samplesIn(one).map((sample) => [sample.place, sample])));
  const persons = [before, after];
  const shared = [...comparison.buckets].flatMap(([bucket, { changed, all: statements }]) => {
    const about = (isOther ? statements : changed).filter((one) => isAbout(one, persons));
    return about.length === 0 ? [] : [{ bucket, about, statements }];
  });
  if (own.length > 0) {
    const further = grantedPlaces(persons, comparison, samplesIn);
    const everywhere = [...new Map([...places, ...further]).values()];
    for (const one of own) yield* aboutStatement(one, everywhere, comparison);
  }
  for (const { bucket, about, statements } of shared) {
    const named = [...places.values()].filter((sample) => isIn(bucket, sample));
    const within = [...named, ...placesIn(bucket, statements, samplesIn)];
    for (const one of about) yield* onPlaces(one, within, comparison);
  }
  for (const [name, { changed, all: statements }] of comparison.roles) {
    const about = (isOther ? statements : changed).filter((one) => isAbout(one, persons));
    for (const { statement } of about) {
      for (const known of knownActionsOf(statement)) if (isOfRole(known)) yield aboutRole(known, name);
    }
  }
}

function ownStatements(person: Person | undefined): readonly PlacedStatement[] {
  return person === undefined ? [] : [...person.identity, ...person.boundary].flatMap(statementsOf);
}

function changedOwn(before: Person, after: Person): readonly PlacedStatement[] {
  return [
    ...changedStatements(before.identity.flatMap(statementsOf), after.identity.flatMap(statementsOf)),
    ...changedStatements(before.boundary.flatMap(statementsOf), after.boundary.flatMap(statementsOf)),
  ];
}

type Sampler = (placed: PlacedStatement) => readonly Sample[];

/** The places that a statement names. Its variables stand for the caller's own values on either side, where these are known. */
function sampler({ before, after }: Pair, { name, after: side }: Comparison): Sampler {
  const { partition } = side.records.account;
  const persons = new Map([before, after].flatMap((one) => (one === undefined ? [] : [[one.facts, one]])));
  const fillings = [...persons.values()].map((person) => ({
    name,
    partition,
    knownValue: (key: string) => knownValueOf(person, key),
    showsValues: persons.size > 1,
  }));
  return ({ statement: { resources } }) => {
    if (resources === undefined) return [];
    const patterns = resources.isNegated ? [everything, ...resources.values] : resources.values;
    return patterns.flatMap((pattern) => fillings.flatMap((filling) => samplesOf(pattern, filling)));
  };
}

function knownValueOf({ asker }: Person, key: string): string | undefined {
  if (asker.kind !== 'caller' || asker.caller.kind !== 'user') return undefined;
  const { name, tags } = asker.caller.entity;
  return key === 'aws:username' ? name : tagOf(tags, key);
}

function tagOf(tags: ReadonlyMap<string, string>, key: string): string | undefined {
  const [, value] = [...tags].find(([name]) => `aws:principaltag/${name.toLowerCase()}` === key) ?? [];
  return value;
}

/** Where bucket policies allow the caller something: a Deny of its own can take that away. */
function grantedPlaces(
  persons: readonly (Person | undefined)[],
  { buckets }: Comparison,
  samplesIn: Sampler,
): readonly (readonly [string, Sample])[] {
  return [...buckets].flatMap(([bucket, { all }]) => {
    const grants = all.filter((one) => one.statement.effect === 'Allow' && isAbout(one, persons));
    return placesIn(bucket, grants, samplesIn).map((sample) => [sample.place, sample] as const);
  });
}

/** The places that the policy of a bucket names: whatever its patterns match elsewhere, it is about this bucket alone. */
function placesIn(
  bucket: string,
  statements: readonly PlacedStatement[],
  samplesIn: Sampler,
): readonly Sample[] {
  const moved = (text: string): string => text.replace(bucketPart, () => bucket);
  return statements
    .flatMap(samplesIn)
    .map((one) => (isIn(bucket, one) ? one : { place: moved(one.place), label: moved(one.label) }));
}

function isIn(bucket: string, { place }: Sample): boolean {
  return place.startsWith(bucket) && (place.length === bucket.length || place[bucket.length] === '/');
}

/** Up to the first slash that is not within a variable. */
const bucketPart = /^(?:\$\{[^}]*\}|[^/])*/;

function* aboutStatement(
  one: PlacedStatement,
  places: readonly Sample[],
  comparison: Comparison,
): Generator<Asked> {
  yield* onPlaces(one, places, comparison);
  const { roles, before, after, name } = comparison;
  for (const known of knownActionsOf(one.statement)) {
    if (known.service === 's3') continue;
    if (known.action === 'sts:GetFederationToken')
      yield { known, kind: 'federated-user', place: name, label: 'federated users' };
    else if (!isOfRole(known)) yield { known, kind: 'none', place: '*', label: '*' };
    else {
      for (const role of roles.keys()) {
        const arns = [before, after].flatMap((side) => side.roles.get(role)?.arn ?? []);
        if (arns.some((arn) => mayConcern(one.statement, arn))) yield aboutRole(known, role);
      }
    }
  }
}

function* onPlaces(
  { statement }: PlacedStatement,
  places: readonly Sample[],
  { after }: Comparison,
): Generator<Asked> {
  const head = `arn:${after.records.account.partition}:s3:::`;
  const concerned = places.filter(({ place }) => mayConcern(statement, head + place));
  const objects = concerned.filter(({ place }) => place.includes('/'));
  const buckets = concerned.filter(({ place }) => !place.includes('/'));
  const byScope = { object: objects, bucket: buckets, service: [{ place: '*', label: '*' }] };
  for (const known of knownActionsOf(statement)) {
    if (known.service !== 's3') continue;
    for (const sample of byScope[known.operation.scope]) yield { known, kind: 's3', ...sample };
  }
}

function isOfRole({ action }: KnownAction): boolean {
  return action.startsWith(assumeRole) || action === tagSession || action === setSourceIdentity;
}

function aboutRole(known: KnownAction, name: string): Asked {
  return { known, kind: 'role', place: name, label: `role ${name}` };
}
