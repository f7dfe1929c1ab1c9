import { formatArn, parseArn } from '../../core/arn.ts';
import { quoteText } from '../path.ts';
import { suggest } from '../suggest.ts';
import type { PolicySurroundings } from './policy-check.ts';

/**
 * Describes a user or role that a full ARN names and the directory does not have. `undefined` when the directory has it, and
 * for ARNs of other accounts.
 */
export function missingEntity(text: string, surroundings: PolicySurroundings): string | undefined {
  const arn = parseArn(text);
  if (arn?.account !== surroundings.account.id) return undefined;
  const { users, roles, providerRoles } = surroundings;
  const [kind = '', ...rest] = arn.resource.split('/');
  const withPath = (what: 'user' | 'role', entities: Entities): string | undefined => {
    if (namesWithPaths(entities).has(`/${rest.join('/')}`)) return undefined;
    const arns = entities.map(({ path, name }) => formatArn({ ...arn, resource: kind + path + name }));
    return missing(what, text, arns);
  };
  switch (`${arn.service} ${kind}`) {
    case 'iam user':
      return withPath('user', users);
    case 'iam role':
      return withPath('role', roles);
    case 'sts assumed-role': {
      // No path, and any session.
      const session = rest.slice(1).join('/');
      const names = [...roles, ...providerRoles].map(({ name }) => name);
      if (names.includes(rest[0] ?? '')) return undefined;
      const arns = names.map((name) => formatArn({ ...arn, resource: `${kind}/${name}/${session}` }));
      return missing('role', text, arns);
    }
    default:
      return undefined;
  }
}

type Entities = PolicySurroundings['users'];

const known = new WeakMap<Entities, ReadonlySet<string>>();

/** Paths with names, made once for each list: there may be tens of thousands of both entities and principals. */
function namesWithPaths(entities: Entities): ReadonlySet<string> {
  const made = known.get(entities) ?? new Set(entities.map(({ path, name }) => path + name));
  known.set(entities, made);
  return made;
}

/** Comparing with more names than this takes longer than a suggestion is worth. */
const maxSuggested = 1000;

function missing(what: 'user' | 'role', text: string, arns: readonly string[]): string {
  return `the directory has no ${what} ${quoteText(text)}${arns.length > maxSuggested ? '' : suggestArn(text, arns)}`;
}

/** Suggests the same name under its real path, which is the likeliest mistake; otherwise the nearest ARN. */
function suggestArn(text: string, arns: readonly string[]): string {
  const name = lastPart(text);
  const elsewhere = text.includes(':assumed-role/') ? undefined : arns.find((arn) => lastPart(arn) === name);
  return elsewhere === undefined ? suggest(text, arns) : ` (did you mean ${quoteText(elsewhere)}?)`;
}

function lastPart(arn: string): string {
  return arn.slice(arn.lastIndexOf('/') + 1);
}
