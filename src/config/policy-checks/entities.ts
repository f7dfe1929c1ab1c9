import { parseArn } from '../../core/arn.ts';
import { quoteText } from '../path.ts';
import { suggest } from '../suggest.ts';
import type { PolicySurroundings } from './policy-check.ts';

type Named = PolicySurroundings['users'];

/**
 * Says what an ARN in full names that the directory does not have; `undefined` where it has it, and for what is not of
 * this account.
 */
export function namedEntity(text: string, surroundings: PolicySurroundings): string | undefined {
  const arn = parseArn(text);
  if (arn?.account !== surroundings.account.id) return undefined;
  const { users, roles, providerRoles } = surroundings;
  const [kind = '', ...rest] = arn.resource.split('/');
  const toArn = (resource: string): string =>
    `arn:${arn.partition}:${arn.service}:${arn.region}:${arn.account}:${resource}`;
  switch (`${arn.service} ${kind}`) {
    case 'iam user':
      return missing(
        'user',
        text,
        arnsOf(users, (path) => toArn(`user${path}`)),
      );
    case 'iam role':
      return missing(
        'role',
        text,
        arnsOf(roles, (path) => toArn(`role${path}`)),
      );
    case 'sts assumed-role': {
      const [role = '', ...session] = rest;
      const names = [...roles, ...providerRoles].map(({ name }) => name);
      return names.includes(role)
        ? undefined
        : missing(
            'role',
            text,
            names.map((name) => toArn(['assumed-role', name, ...session].join('/'))),
          );
    }
    default:
      return undefined;
  }
}

function arnsOf(entities: Named, toArn: (path: string) => string): string[] {
  return entities.map(({ path, name }) => toArn(path + name));
}

function missingEntity(what: 'user' | 'role', text: string, known: readonly string[]): string | undefined {
  if (known.includes(text)) return undefined;
  // A path left out is the likeliest mistake.
  const sameName = known.find((arn) => lastPart(arn) === lastPart(text));
  if (sameName === undefined) return missing(what, text, known);
  return `${missing(what, text, [])} (did you mean ${quoteText(sameName)}?)`;
}

function missing(what: 'user' | 'role', text: string, known: readonly string[]): string {
  return `the directory has no ${what} ${quoteText(text)}${suggest(text, known)}`;
}

function lastPart(arn: string): string {
  return arn.slice(arn.lastIndexOf('/') + 1);
}
