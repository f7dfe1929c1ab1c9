import { formatArn, parseArn } from '../../core/arn.ts';
import { quoteText } from '../path.ts';
import { suggest } from '../suggest.ts';
import type { PolicySurroundings } from './policy-check.ts';

/**
 * Says what an ARN in full names that the directory does not have; `undefined` where it has it, and for what is not of
 * this account.
 */
export function missingEntity(text: string, surroundings: PolicySurroundings): string | undefined {
  const arn = parseArn(text);
  if (arn?.account !== surroundings.account.id) return undefined;
  const { users, roles, providerRoles } = surroundings;
  const [kind = '', ...rest] = arn.resource.split('/');
  const withPath = (entities: PolicySurroundings['users']): string[] =>
    entities.map(({ path, name }) => formatArn({ ...arn, resource: kind + path + name }));
  switch (`${arn.service} ${kind}`) {
    case 'iam user':
      return missing('user', text, withPath(users));
    case 'iam role':
      return missing('role', text, withPath(roles));
    case 'sts assumed-role': {
      // No path, and any session.
      const session = rest.slice(1).join('/');
      const names = [...roles, ...providerRoles].map(({ name }) => name);
      const arns = names.map((name) => formatArn({ ...arn, resource: `${kind}/${name}/${session}` }));
      return missing('role', text, arns);
    }
    default:
      return undefined;
  }
}

function missing(what: 'user' | 'role', text: string, known: readonly string[]): string | undefined {
  if (known.includes(text)) return undefined;
  return `the directory has no ${what} ${quoteText(text)}${suggestArn(text, known)}`;
}

/** A path left out is the likeliest mistake; the nearest ARN comes after that. */
function suggestArn(text: string, known: readonly string[]): string {
  const name = lastPart(text);
  const elsewhere = text.includes(':assumed-role/') ? undefined : known.find((arn) => lastPart(arn) === name);
  return elsewhere === undefined ? suggest(text, known) : ` (did you mean ${quoteText(elsewhere)}?)`;
}

function lastPart(arn: string): string {
  return arn.slice(arn.lastIndexOf('/') + 1);
}
