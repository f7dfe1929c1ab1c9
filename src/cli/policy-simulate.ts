import { storeKeyPrefixes } from '../authorize/store-keys.ts';
import { loadConfiguration } from '../config/load.ts';
import { readBoundedText } from '../config/sources.ts';
import { systemClock } from '../core/clock.ts';
import { foldCase } from '../core/fold-case.ts';
import type { ContextEntry } from '../iam/request-context.ts';
import { findAsker } from './policy/asker.ts';
import { checkCircumstances, simulatedRequest } from './policy/circumstances.ts';
import { type Asking, type Circumstances, QuestionError, type QuestionField } from './policy/question.ts';
import { outcomeOf, renderSimulation, simulationJson } from './policy/render.ts';
import { type Simulation, simulate } from './policy/simulate.ts';
import { buildWorld, type World } from './policy/world.ts';
import { exitCodes, type Terminal } from './terminal.ts';

/** What `policy simulate` was asked. */
export interface SimulateOptions {
  readonly principal?: string | undefined;
  readonly webIdentityProvider?: string | undefined;
  readonly samlProvider?: string | undefined;
  readonly sessionToken: boolean;
  /** Seconds. */
  readonly mfaAge?: string | undefined;
  readonly federatedBy?: string | undefined;
  readonly policyName: readonly string[];
  readonly action: readonly string[];
  readonly resource: readonly string[];
  /** Each `key=value`; several values of a key stand one after the other. */
  readonly context: readonly string[];
  readonly absent: readonly string[];
  /** The path of a file with an inline session policy. */
  readonly sessionPolicy?: string | undefined;
  readonly sessionPolicyArn: readonly string[];
  /** The paths of files with scope-down policies, the first one first. */
  readonly scopeDown: readonly string[];
  /** Each `key=value`. */
  readonly tag: readonly string[];
  readonly json: boolean;
}

const optionNames: Readonly<Record<QuestionField, string>> = {
  principal: '--principal',
  webIdentityProvider: '--web-identity-provider',
  samlProvider: '--saml-provider',
  sessionToken: '--session-token',
  mfaAgeSeconds: '--mfa-age',
  federatedBy: '--federated-by',
  policyNames: '--policy-name',
  sessionPolicy: '--session-policy',
  sessionPolicyArns: '--session-policy-arn',
  scopeDown: '--scope-down',
  tags: '--tag',
  action: '--action',
  resource: '--resource',
  context: '--context',
  absent: '--absent',
};

/** Larger than any session policy, so that the message about its length is the engine's. */
const maxPolicyBytes = 64 * 1024;

/** Decides every action on every resource with a configuration and prints why. */
export function simulatePolicies(path: string, options: SimulateOptions, terminal: Terminal): number {
  const loaded = loadConfiguration(path, {});
  if (!loaded.ok) {
    for (const problem of loaded.problems) terminal.prose(problem);
    return exitCodes.badConfiguration;
  }
  const simulations = askOrExplain(options, buildWorld(loaded), terminal);
  if (simulations === undefined) return exitCodes.badConfiguration;
  for (const line of hints(simulations)) terminal.prose(line);
  const outcomes = simulations.map(outcomeOf);
  const isAllowed = outcomes.every((outcome) => outcome === 'allowed');
  if (options.json) {
    const document = { version: 1, allowed: isAllowed, results: simulations.map(simulationJson) };
    terminal.data(JSON.stringify(document, undefined, 2));
  } else terminal.data(simulations.map(renderSimulation).join('\n\n'));
  if (outcomes.includes('needs')) return exitCodes.badConfiguration;
  return isAllowed ? exitCodes.ok : exitCodes.failure;
}

function askOrExplain(options: SimulateOptions, world: World, terminal: Terminal): Simulation[] | undefined {
  try {
    const circumstances: Circumstances = { context: readContext(options.context), absent: options.absent };
    checkCircumstances(circumstances);
    const raw = simulatedRequest(circumstances, systemClock.now());
    const asker = findAsker(readAsking(options), world, raw.receivedAtMs);
    const simulated = { asker, circumstances, world, raw };
    return options.action.flatMap((action) =>
      options.resource.map((resource) => simulate(action, resource, simulated)),
    );
  } catch (error) {
    if (!(error instanceof QuestionError)) throw error;
    terminal.prose(`${optionNames[error.field]}: ${error.message}`);
    return undefined;
  }
}

function readAsking(options: SimulateOptions): Asking {
  const { sessionPolicy, sessionPolicyArn, tag, mfaAge } = options;
  return {
    principal: options.principal,
    webIdentityProvider: options.webIdentityProvider,
    samlProvider: options.samlProvider,
    sessionToken: options.sessionToken,
    mfaAgeSeconds: mfaAge === undefined ? undefined : readSeconds(mfaAge),
    federatedBy: options.federatedBy,
    policyNames: options.policyName,
    sessionPolicy: sessionPolicy === undefined ? undefined : readPolicyFile('sessionPolicy', sessionPolicy),
    sessionPolicyArns: sessionPolicyArn,
    scopeDown: options.scopeDown.map((one) => readPolicyFile('scopeDown', one)),
    tags: tag.map((text) => readPair('tags', text)),
  };
}

// Text that is not a number gets the same message as a number out of range.
function readSeconds(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : Number.NaN;
}

function readPolicyFile(field: 'sessionPolicy' | 'scopeDown', path: string): string {
  const file = readBoundedText(path, maxPolicyBytes);
  if (!file.ok) throw new QuestionError(field, `${path} ${file.reason}`);
  return file.text;
}

/** Groups values by key, ignoring the case of keys. */
function readContext(texts: readonly string[]): ContextEntry[] {
  const entries = new Map<string, [key: string, values: string[]]>();
  for (const text of texts) {
    const [key, value] = readPair('context', text);
    const known = entries.get(foldCase(key));
    if (known === undefined) entries.set(foldCase(key), [key, [value]]);
    else known[1].push(value);
  }
  return [...entries.values()].map(([key, values]): ContextEntry => {
    const [only = ''] = values;
    return [key, values.length === 1 ? only : values];
  });
}

function readPair(field: 'context' | 'tags', text: string): [key: string, value: string] {
  const equals = text.indexOf('=');
  if (equals <= 0) {
    throw new QuestionError(field, `${JSON.stringify(text.slice(0, 128))} is not of the form key=value`);
  }
  return [text.slice(0, equals), text.slice(equals + 1)];
}

function hints(simulations: readonly Simulation[]): string[] {
  const needed = new Set(
    simulations.flatMap(({ decision }) => (decision.effect === 'needs' ? decision.keys : [])),
  );
  const [first] = simulations;
  const unused = (first?.unusedContext ?? []).filter((key) =>
    simulations.every(({ unusedContext }) => unusedContext.includes(key)),
  );
  return [
    ...[...needed].map(
      (key) =>
        `the decision depends on ${key}: give it with --context, or say with --absent ${absence(key)} that there is none`,
    ),
    ...unused.map((key) => `note: no policy involved refers to ${key}`),
  ];
}

// For tags, only the prefix can be absent: it stands for all tags that were not given.
function absence(key: string): string {
  return storeKeyPrefixes.find((prefix) => key.startsWith(prefix)) ?? key;
}
