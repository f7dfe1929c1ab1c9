import { loadConfiguration } from '../config/load.ts';
import { shownText } from '../core/shown-text.ts';
import { explainDenial } from '../iam/explain.ts';
import { policyTypes } from '../iam/policy-sets.ts';
import {
  type DecodedAuthorizationMessage,
  openAuthorizationMessage,
} from '../tokens/authorization-message.ts';
import { createKeyRing } from '../tokens/key-ring.ts';
import { exitCodes, type Terminal } from './terminal.ts';

/** What `explain` was asked. */
export interface ExplainOptions {
  /** Prints the whole document. */
  readonly json: boolean;
}

/**
 * Prints why a request was denied, from the sealed message in its error. Opens messages of any age: whoever has the key ring may read
 * them. Exit code 0 for a message of this key ring, 1 for any other text, 2 for an invalid configuration.
 * @param text the message, or any text that holds it, such as the whole error
 */
export function explainMessage(
  configuration: string,
  text: string,
  { json }: ExplainOptions,
  terminal: Terminal,
): number {
  const loaded = loadConfiguration(configuration, {});
  if (!loaded.ok) {
    for (const problem of loaded.problems) terminal.prose(problem);
    return exitCodes.badConfiguration;
  }
  const { keys, sealWith } = loaded.settings.tokens;
  const ring = createKeyRing(keys, sealWith);
  const attempts = messagesIn(text).map((message) => openAuthorizationMessage(message, ring, whateverItsAge));
  const opened = attempts.find(({ ok }) => ok) ?? attempts[0];
  if (opened?.ok !== true) {
    terminal.prose(
      opened === undefined
        ? 'there is no sealed message in the text, or not the whole of it'
        : refusals[opened.reason],
    );
    return exitCodes.failure;
  }
  terminal.data(json ? JSON.stringify(opened.document, undefined, 2) : renderDenial(opened.document));
  return exitCodes.ok;
}

/** A time before the end of any message. */
const whateverItsAge = Number.NEGATIVE_INFINITY;

const refusals = {
  malformed: 'not a message that a key of this configuration sealed, or not the whole of one',
  unknown_key:
    'sealed with a key that tokens.keys does not name: take the configuration of the sidecar that denied',
  expired: 'the message has expired',
} as const;

/** The words of a text that have the form of a sealed message: five parts, of which the second is empty. */
function messagesIn(text: string): string[] {
  const words = text.split(/[^\w.-]/).map((word) => (word.endsWith('.') ? word.slice(0, -1) : word));
  return words.filter((word) => word.split('.', 6).length === 5 && word.split('.', 2)[1] === '');
}

/** A denial for people, several lines. Whoever was denied chose its values; the near miss has been made showable before. */
function renderDenial({
  explicitDeny,
  matchedStatements,
  context,
  denial,
}: DecodedAuthorizationMessage): string {
  const { principal, action, resource, conditions } = context;
  const policyType = policyTypes.find((one) => one === denial.policyType) ?? 'none';
  const lines = [
    `denied: ${shown(action)} on ${shown(resource)}`,
    `  principal  ${shown(principal.arn)} (${shown(principal.id)})`,
    `  reason     ${explainDenial({ isExplicitDeny: explicitDeny, policyType }, shown(action))}`,
  ];
  for (const { sourcePolicyId, statementId, statementIndex } of matchedStatements.items) {
    const sid = statementId === '' ? '' : ` (Sid "${shown(statementId)}")`;
    lines.push(`  denied by  ${shown(sourcePolicyId)} Statement[${statementIndex}]${sid}`);
  }
  if (denial.nearMiss !== undefined) lines.push(`  near miss  ${denial.nearMiss.reason}`);
  lines.push(`  request    ${shown(denial.requestId)} at ${denial.deniedAt}`, '  context');
  const width = Math.max(0, ...conditions.items.map(({ key }) => shown(key).length));
  for (const { key, values } of conditions.items) {
    lines.push(
      `    ${shown(key).padEnd(width)}  ${values.items.map(({ value }) => shown(value)).join(', ')}`,
    );
  }
  return lines.join('\n');
}

/** Longer than any text of a message. */
const maxUnits = 10_240;

function shown(text: string): string {
  return shownText(text, maxUnits);
}
