import { compileGlob, parseGlob, unlimitedSteps } from '../core/glob.ts';
import { quoted, type Report } from './problem.ts';

/** A pattern of Action or NotAction; both parts in lower case. */
export interface ActionPattern {
  /** The service prefix; `*` for every service. */
  readonly service: string;
  /** The name, with `*` and `?` as wildcards. */
  readonly name: string;
}

const servicePrefix = /^[a-z0-9-]+$/i;
const actionName = /^[a-z0-9_*?-]+$/i;

/**
 * Reads `service:name`, `*` or `*:*` (IAM JSON policy elements: Action). Reports anything else and returns `undefined`.
 * A wildcard in part of the service is refused, because it would match services by accident.
 */
export function parseActionPattern(text: string, report: Report): ActionPattern | undefined {
  if (text === '*' || text === '*:*') return { service: '*', name: '*' };
  const colon = text.indexOf(':');
  const service = text.slice(0, Math.max(colon, 0));
  const name = text.slice(colon + 1);
  if (colon < 0 || !actionName.test(name)) {
    report(`${quoted(text)} is not an action: expected service:name`);
    return undefined;
  }
  if (!servicePrefix.test(service)) {
    report(`${quoted(text)} has an invalid service: wildcards are allowed in the action name only`);
    return undefined;
  }
  return { service: service.toLowerCase(), name: name.toLowerCase() };
}

/** Compiles patterns into a test that takes an action in lower case. */
export function compileActions(patterns: readonly ActionPattern[]): (action: string) => boolean {
  const matchers = patterns.map(({ service, name }) =>
    service === '*'
      ? compileGlob([{ kind: 'any' }])
      : compileGlob([{ kind: 'text', text: `${service}:` }, ...parseGlob(name)]),
  );
  return (action) => matchers.some((matches) => matches(action, unlimitedSteps));
}
