import * as sdk from '@aws-sdk/client-sts';

/** One action as the model of an SDK has it: the names of its parameters and of the members of its result. */
export interface ModelAction {
  readonly name: string;
  readonly parameters: readonly string[];
  readonly result: readonly string[];
}

const operationKind = 9;

/** The actions in the model of the installed `@aws-sdk/client-sts`, by name. It exports the schema of every operation. */
export function modelActions(exported: object = sdk): readonly ModelAction[] {
  const schemas = Object.values(exported).filter(
    (one: unknown): one is readonly unknown[] => Array.isArray(one) && one[0] === operationKind,
  );
  return schemas
    .map(([, , name, , input, output]) => ({
      name: String(name),
      parameters: membersOf(input),
      result: membersOf(output),
    }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function membersOf(schema: unknown): readonly string[] {
  const structure: unknown = typeof schema === 'function' ? schema() : schema;
  const members: unknown = Array.isArray(structure) ? structure[4] : undefined;
  if (!Array.isArray(members)) throw new Error('the schemas of the SDK have another form');
  return members.map(String);
}
