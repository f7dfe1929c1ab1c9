import { compileGlob, unlimitedSteps } from '../../core/glob.ts';
import type { ResourcePattern } from '../../iam/match-resource.ts';
import type { TemplateToken } from '../../iam/variables.ts';

/** A place that stands for all that a pattern matches and no narrower pattern names. */
export interface Sample {
  /** What follows `arn:aws:s3:::`: `bucket`, or `bucket/key`. */
  readonly place: string;
  /** The same for people, with the wildcards. */
  readonly label: string;
}

/** What NotResource is about, besides the places that it names. */
export const everything: ResourcePattern = { source: '*', head: [], tail: [{ kind: 'any' }] };

/** What stands for `*`: a name that no pattern of either configuration has. */
export function unusedName(patterns: Iterable<string>): string {
  const all = [...patterns].filter((one) => one.includes('probe')).join('\n');
  let number = 0;
  while (all.includes(`probe${number}x`)) number += 1;
  return `probe${number}x`;
}

/** How the wildcards and variables of patterns are filled in. */
export interface Filling {
  /** For `*`. */
  readonly name: string;
  readonly partition: string;
  /** The value of a context key that follows from the caller. */
  readonly knownValue: (lowerCaseKey: string) => string | undefined;
  /** True when people are shown these values, and not the names of the variables. */
  readonly showsValues: boolean;
}

/**
 * Places of S3 that a pattern matches. `data*` stands for buckets and for objects in them, also in the bucket `data` itself. None for a
 * pattern of another service.
 */
export function samplesOf(pattern: ResourcePattern, filling: Filling): readonly Sample[] {
  if (!isOfS3(pattern, filling.partition)) return [];
  const { name } = filling;
  const whole = filled(pattern.tail, filling);
  if (pattern.tail.at(-1)?.kind !== 'any' || whole.place.includes('/')) return [whole];
  const start = filled(pattern.tail.slice(0, -1), filling);
  const inEvery = { place: `${whole.place}/${name}`, label: `${whole.label}/*` };
  if (start.place === '') return [whole, inEvery];
  return [whole, inEvery, start, { place: `${start.place}/${name}`, label: `${start.label}/*` }];
}

function isOfS3({ head }: ResourcePattern, partition: string): boolean {
  return ['arn', partition, 's3', '', ''].every((segment, index) => {
    const tokens = head[index];
    return tokens === undefined || compileGlob(tokens)(segment, unlimitedSteps);
  });
}

function filled(tokens: readonly TemplateToken[], { name, knownValue, showsValues }: Filling): Sample {
  let place = '';
  let label = '';
  for (const token of tokens) {
    switch (token.kind) {
      case 'text':
        place += token.text;
        label += token.text;
        break;
      case 'any':
        place += name;
        label += '*';
        break;
      case 'one':
        place += 'q';
        label += '?';
        break;
      case 'variable': {
        const value = knownValue(token.key) ?? token.fallback;
        place += value ?? name;
        label += (showsValues ? value : undefined) ?? `\${${token.key}}`;
        break;
      }
    }
  }
  return { place, label };
}
