/** Parameters as sent, by exact name. */
export type SentParameters = ReadonlyMap<string, string>;

/** Reports one violated constraint. `value` is `null` for a missing member. */
export type ReportViolation = (path: string, value: string | null, constraint: string) => void;

/** Marks a value whose violation was reported. Never leaves the parser. */
export const invalid: unique symbol = Symbol('invalid parameter');
type Invalid = typeof invalid;

/** How one declared parameter is read and checked. */
export interface ParameterRule<T> {
  /** True for a parameter that is checked and then refused, because it is not supported. */
  readonly isRefused: boolean;
  /**
   * @param name its name on the wire
   * @param path its name in validation errors
   */
  read(sent: SentParameters, name: string, path: string, report: ReportViolation): T | Invalid;
}

/** Constraints of a text. Lengths are in UTF-16 code units, as AWS counts them. */
interface TextConstraints {
  readonly min: number;
  readonly max?: number;
  /** Regular expression that the whole value must match, as AWS prints it in errors. */
  readonly pattern?: string;
  /** What a longer value is told besides, with the longest that is allowed. */
  readonly hint?: (value: string, max: number) => string | undefined;
}

/** An optional text. */
export function text({ min, max, pattern, hint }: TextConstraints): ParameterRule<string | undefined> {
  const whole = pattern === undefined ? undefined : new RegExp(`^(?:${pattern})$`, 'u');
  return {
    isRefused: false,
    read(sent, name, path, report) {
      const value = sent.get(name);
      if (value === undefined) return undefined;
      const violated: string[] = [];
      if (whole?.test(value) === false) violated.push(`satisfy regular expression pattern: ${pattern}`);
      if (value.length < min) violated.push(`have length greater than or equal to ${min}`);
      if (max !== undefined && value.length > max) {
        const told = hint?.(value, max);
        violated.push(`have length less than or equal to ${max}${told === undefined ? '' : `. ${told}`}`);
      }
      for (const constraint of violated) report(path, value, `Member must ${constraint}`);
      return violated.length === 0 ? value : invalid;
    },
  };
}

/** An optional text that error messages must not quote. */
export function secretText(constraints: TextConstraints): ParameterRule<string | undefined> {
  const rule = text(constraints);
  return {
    isRefused: false,
    read: (sent, name, path, report) =>
      rule.read(sent, name, path, (at, _, constraint) => report(at, '***', constraint)),
  };
}

/** An optional whole number. */
export function integer({ min, max }: { min: number; max: number }): ParameterRule<number | undefined> {
  return {
    isRefused: false,
    read(sent, name, path, report) {
      const value = sent.get(name);
      if (value === undefined) return undefined;
      const number = /^-?\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
      if (number >= min && number <= max) return number;
      report(path, value, numberConstraint(number, min, max));
      return invalid;
    },
  };
}

function numberConstraint(number: number, min: number, max: number): string {
  if (Number.isNaN(number)) return 'Member must be an integer';
  return number < min
    ? `Member must have value greater than or equal to ${min}`
    : `Member must have value less than or equal to ${max}`;
}

/** Makes a rule required. */
export function required<T>(rule: ParameterRule<T | undefined>): ParameterRule<T> {
  return {
    isRefused: rule.isRefused,
    read(sent, name, path, report) {
      const value = rule.read(sent, name, path, report);
      if (value !== undefined) return value;
      report(path, null, 'Member must not be null');
      return invalid;
    },
  };
}

/** Makes a rule check its value and then refuse it. Ignoring it would let the caller assume that it has an effect. */
export function refused<T>(rule: ParameterRule<T>): ParameterRule<T> {
  return { ...rule, isRefused: true };
}

type FieldRules = Readonly<Record<string, ParameterRule<string | undefined> | ParameterRule<string>>>;

/**
 * A list of structures, flattened as `Name.member.1.Field`. Gives the values of each member by field. An empty field name means
 * a list of plain texts, `Name.member.1`. Empty when nothing was sent.
 */
export function list(
  fields: FieldRules,
  { maxItems }: { maxItems: number },
): ParameterRule<readonly ReadonlyMap<string, string>[]> {
  return {
    isRefused: false,
    read(sent, name, path, report) {
      const members = collectMembers(sent, name, Object.keys(fields), report);
      if (members === invalid) return invalid;
      if (members.length > maxItems) {
        report(
          path,
          `[${members.length} members]`,
          `Member must have length less than or equal to ${maxItems}`,
        );
        return invalid;
      }
      const read = members.map((member, index) =>
        readMember(fields, member, `${path}.${index + 1}.member`, report),
      );
      return read.every((member) => member !== invalid) ? read : invalid;
    },
  };
}

function readMember(
  fields: FieldRules,
  member: SentParameters,
  path: string,
  report: ReportViolation,
): ReadonlyMap<string, string> | Invalid {
  const values = new Map<string, string>();
  let isValid = true;
  for (const [field, rule] of Object.entries(fields)) {
    const value = rule.read(member, field, field === '' ? path : `${path}.${lowerFirst(field)}`, report);
    if (value === invalid) isValid = false;
    else if (value !== undefined) values.set(field, value);
  }
  return isValid ? values : invalid;
}

/** The members of a list in the order of their numbers, without gaps. */
function collectMembers(
  sent: SentParameters,
  name: string,
  fields: readonly string[],
  report: ReportViolation,
): readonly SentParameters[] | Invalid {
  const members = new Map<number, Map<string, string>>();
  for (const [key, value] of sent) {
    if (key !== name && !key.startsWith(`${name}.`)) continue;
    // SDKs write an empty list as a lone `Name=`.
    if (key === name && value === '') continue;
    const [, number, field = ''] =
      /^\.member\.([1-9]\d{0,4})(?:\.(\w+))?$/.exec(key.slice(name.length)) ?? [];
    if (number === undefined || !fields.includes(field)) {
      // A misspelled session policy or tag must not be ignored: the session would have more permissions than intended.
      report(key.slice(0, 128), value, `Member must be written as ${memberForms(name, fields)}`);
      return invalid;
    }
    const member = members.get(Number(number)) ?? new Map<string, string>();
    member.set(field, value);
    members.set(Number(number), member);
  }
  return [...members].sort(([left], [right]) => left - right).map(([, member]) => member);
}

function memberForms(name: string, fields: readonly string[]): string {
  return fields.map((field) => `${name}.member.N${field === '' ? '' : `.${field}`}`).join(' or ');
}

/** A parameter name as validation errors spell it: `RoleArn` becomes `roleArn`. */
export function lowerFirst(name: string): string {
  return `${name.charAt(0).toLowerCase()}${name.slice(1)}`;
}
