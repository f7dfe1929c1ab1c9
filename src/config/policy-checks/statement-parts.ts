import { isMapping, type Mapping } from '../../core/mapping.ts';
import type { Path } from '../path.ts';

/** A text of a policy, and where in the policy it stands. */
export interface PolicyText {
  readonly path: Path;
  readonly text: string;
}

/** One key of a Condition block. */
export interface ConditionPart {
  readonly path: Path;
  /** As the policy spells it. */
  readonly operator: string;
  readonly key: string;
  readonly values: readonly PolicyText[];
}

/** The texts of one statement; an element and its negated twin in one list. */
export interface StatementParts {
  readonly path: Path;
  readonly actions: readonly PolicyText[];
  /** Everything but the actions. */
  readonly isNotAction: boolean;
  readonly resources: readonly PolicyText[];
  /** Everything but the resources. */
  readonly isNotResource: boolean;
  /** Values of `AWS` entries. */
  readonly awsPrincipals: readonly PolicyText[];
  readonly conditions: readonly ConditionPart[];
}

/** Splits a valid policy into the parts of its statements. */
export function statementParts(policy: unknown): StatementParts[] {
  const source = isMapping(policy) ? policy['Statement'] : undefined;
  const single: Path = ['Statement'];
  if (!Array.isArray(source)) return isMapping(source) ? [partsOf(source, single)] : [];
  return source.flatMap((item: unknown, index) =>
    isMapping(item) ? [partsOf(item, [...single, index])] : [],
  );
}

function partsOf(statement: Mapping, path: Path): StatementParts {
  const element = (name: string): PolicyText[] => texts(statement[name], [...path, name]);
  return {
    path,
    actions: [...element('Action'), ...element('NotAction')],
    isNotAction: statement['NotAction'] !== undefined,
    resources: [...element('Resource'), ...element('NotResource')],
    isNotResource: statement['NotResource'] !== undefined,
    awsPrincipals: ['Principal', 'NotPrincipal'].flatMap((name) => {
      const entries = statement[name];
      return isMapping(entries) ? texts(entries['AWS'], [...path, name, 'AWS']) : [];
    }),
    conditions: conditionsOf(statement['Condition'], [...path, 'Condition']),
  };
}

function conditionsOf(source: unknown, path: Path): ConditionPart[] {
  if (!isMapping(source)) return [];
  return Object.entries(source).flatMap(([operator, block]) =>
    Object.entries(isMapping(block) ? block : {}).map(([key, value]) => {
      const at = [...path, operator, key];
      return { path: at, operator, key, values: texts(value, at) };
    }),
  );
}

function texts(value: unknown, path: Path): PolicyText[] {
  if (!Array.isArray(value)) return value === undefined ? [] : [{ path, text: String(value) }];
  return value.map((item: unknown, index) => ({ path: [...path, index], text: String(item) }));
}
