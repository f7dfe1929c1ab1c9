import { quoteText } from '../path.ts';
import { servicePrefixes } from '../policy-vocabulary.ts';
import { suggest } from '../suggest.ts';
import type { CheckedPolicy, PolicyCheck } from './policy-check.ts';
import type { ConditionPart, PolicyText } from './statement-parts.ts';

/** Finds condition keys that requests never have. */
export const checkConditionKeys: PolicyCheck = ({ conditions }, policy) => {
  for (const condition of conditions) {
    const { path, key } = condition;
    const fault = faultOf(key, policy, holdsWithoutKey(condition));
    if (fault !== undefined) policy.warnAtKey(path, fault);
  }
};

/** Finds variables that requests never have a value for, and those of a version that has none. */
export const checkVariables: PolicyCheck = ({ resources, conditions }, policy) => {
  const values = [...resources, ...conditions.flatMap(({ values }) => values)];
  for (const { path, text } of values) {
    for (const { key, hasFallback } of variablesOf(text)) {
      const fault = policy.hasVariables
        ? faultOf(key, policy, hasFallback)
        : `is plain text: variables need "Version": "2012-10-17"`;
      if (fault !== undefined) policy.warn(path, `\${${key}}: ${fault}`);
    }
  }
};

interface Variable {
  readonly key: string;
  readonly hasFallback: boolean;
}

function variablesOf(text: PolicyText['text']): Variable[] {
  return [...text.matchAll(/\$\{([^}]*)\}/g)].flatMap(([, body = '']) => {
    const [key = '', fallback] = body.split(',');
    return key.includes(':') ? [{ key: key.trim(), hasFallback: fallback !== undefined }] : [];
  });
}

/**
 * True when a condition can hold for requests without its key. Such a condition on a key of AWS was written for use
 * elsewhere, and does no harm here.
 */
function holdsWithoutKey({ operator }: ConditionPart): boolean {
  return /not|ifexists$|^null$|^forallvalues:/i.test(operator);
}

function faultOf(key: string, policy: CheckedPolicy, isMissingMeant: boolean): string | undefined {
  const { vocabulary, issuers } = policy.surroundings;
  const lower = key.toLowerCase();
  const known = policy.keys.find(key);
  if (known !== undefined) {
    if (known.never === undefined || isMissingMeant) return undefined;
    return `no request has the key ${quoteText(key)} here: ${known.never}`;
  }
  const prefix = lower.slice(0, lower.indexOf(':'));
  if (servicePrefixes.has(prefix)) {
    const names = vocabulary.keys.map(({ name }) => (name.endsWith('/') ? `${name}<key>` : name));
    return `no request has the key ${quoteText(key)}${suggestKey(key, names)}`;
  }
  if (issuers.some((issuer) => lower.startsWith(`${issuer.toLowerCase()}:`))) return undefined;
  // Hosts have dots; other services' names have none, and their keys are not known here.
  if (!/[.[]/.test(prefix)) return undefined;
  const claim = key.slice(key.lastIndexOf(':'));
  const candidates = issuers.map((issuer) => issuer + claim);
  return `no identity provider has the claim ${quoteText(key)}${suggest(key, candidates)}`;
}

/** A tag keeps its own name; only what stands before it is looked for. */
function suggestKey(key: string, names: readonly string[]): string {
  const slash = key.indexOf('/');
  if (slash < 0) return suggest(key, names);
  const tag = key.slice(slash + 1);
  return suggest(
    key,
    names.map((name) => name.replace('<key>', () => tag)),
  );
}
