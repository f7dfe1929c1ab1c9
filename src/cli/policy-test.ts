import { loadConfiguration } from '../config/load.ts';
import { type PolicyCase, type PolicyCaseFile, readPolicyCases } from '../config/policy-cases.ts';
import { configurationPath } from '../config/sources.ts';
import { systemClock } from '../core/clock.ts';
import { findAsker } from './policy/asker.ts';
import { checkCircumstances, simulatedRequest } from './policy/circumstances.ts';
import { QuestionError } from './policy/question.ts';
import { outcomeOf, reasonOf, simulationJson } from './policy/render.ts';
import { type Simulation, simulate } from './policy/simulate.ts';
import { buildWorld, type World } from './policy/world.ts';
import { exitCodes, type Terminal } from './terminal.ts';

/** A case that was decided. */
interface CaseResult {
  readonly asked: PolicyCase;
  /** One for each action on each resource. */
  readonly simulations: readonly Simulation[];
  /** What differs from what was expected; empty when the case passes. */
  readonly differences: readonly string[];
}

/** Decides every case of a file and compares with what it expects. */
export function testPolicies(
  path: string,
  { config, json }: { readonly config: string | undefined; readonly json: boolean },
  terminal: Terminal,
): number {
  const read = readPolicyCases(path);
  const refuse = (problems: readonly string[]): number => {
    for (const problem of problems) terminal.prose(problem);
    return exitCodes.badConfiguration;
  };
  if (!read.ok) return refuse(read.problems);
  const { file } = read;
  const configPath = config ?? file.config ?? configurationPath(undefined);
  if (configPath === undefined) {
    return refuse([...file.problems(), `${path} config: is required, or --config, or STS_SIDECAR_CONFIG`]);
  }
  const loaded = loadConfiguration(configPath, {});
  if (!loaded.ok) return refuse([...file.problems(), ...loaded.problems]);
  const results = decideCases(file, buildWorld(loaded));
  const problems = file.problems();
  if (problems.length > 0) return refuse(problems);
  return report(path, results, { json, terminal });
}

// A single problem ends the run without results. Otherwise a case that was not decided would go unnoticed.
function decideCases(file: PolicyCaseFile, world: World): CaseResult[] {
  const nowMs = systemClock.now();
  const results: CaseResult[] = [];
  for (const asked of file.cases) {
    try {
      const simulations = decideCase(asked, world, nowMs);
      results.push({ asked, simulations, differences: simulations.flatMap((one) => compare(one, asked)) });
    } catch (error) {
      if (!(error instanceof QuestionError)) throw error;
      file.problem([...asked.path, error.field], error.message);
    }
  }
  return results;
}

function decideCase(asked: PolicyCase, world: World, nowMs: number): Simulation[] {
  const circumstances = { context: asked.context, absent: asked.absent };
  checkCircumstances(circumstances);
  const raw = simulatedRequest(circumstances, nowMs);
  const simulated = { asker: findAsker(asked, world, raw.receivedAtMs), circumstances, world, raw };
  return asked.actions.flatMap((action) =>
    asked.resources.map((resource) => simulate(action, resource, simulated)),
  );
}

function compare(simulation: Simulation, { expect, matchedSid }: PolicyCase): string[] {
  const outcome = outcomeOf(simulation);
  const about = `${simulation.action} on ${simulation.resource}`;
  const got = outcome === 'allowed' ? 'allow' : outcome;
  const isExpected = got === expect || (expect === 'deny' && got.endsWith('Deny'));
  if (!isExpected) {
    const reason = reasonOf(simulation);
    const why = reason === '' ? allowedBy(simulation) : reason;
    return [`expected ${expect}, got ${got}: ${about} ${why}`];
  }
  const sids = simulation.matches.flatMap(({ statement }) => statement.sid ?? []);
  if (matchedSid === undefined || sids.includes(matchedSid)) return [];
  const matched = sids.length === 0 ? 'none with a Sid' : sids.join(', ');
  return [`expected a matching statement ${JSON.stringify(matchedSid)}, got ${matched}: ${about}`];
}

function allowedBy({ matches }: Simulation): string {
  const allowing = matches.filter(({ effect }) => effect === 'Allow');
  const names = allowing.map(
    ({ statement: { policy, sid, index } }) => `${policy} ${sid ?? `Statement[${index}]`}`,
  );
  return names.length === 0 ? 'with no statement matching' : `because of ${names.join(', ')}`;
}

function report(
  path: string,
  results: readonly CaseResult[],
  { json, terminal }: { readonly json: boolean; readonly terminal: Terminal },
): number {
  const failed = results.filter(({ differences }) => differences.length > 0).length;
  const passed = results.length - failed;
  if (json) {
    const cases = results.map(caseJson);
    terminal.data(JSON.stringify({ version: 1, passed, failed, cases }, undefined, 2));
  } else {
    for (const { asked, differences } of results) {
      for (const difference of differences)
        terminal.data(`${path}:${asked.line} ${asked.name}: ${difference}`);
    }
    terminal.data(`${passed} passed, ${failed} failed`);
  }
  return failed === 0 ? exitCodes.ok : exitCodes.failure;
}

/** The form of `--json`, see docs/policy-tests.md: fields are added, never renamed. */
function caseJson({ asked, simulations, differences }: CaseResult): object {
  const { name, line, expect, matchedSid } = asked;
  return {
    name,
    line,
    passed: differences.length === 0,
    expect,
    matchedSid: matchedSid ?? null,
    differences,
    results: simulations.map(simulationJson),
  };
}
