import { PolicyDocumentError, type PolicyKind, parsePolicyDocument } from '../../src/iam/document.ts';

export const account: string = '123456789012';
export const allowGet: Readonly<Record<string, string>> = {
  Effect: 'Allow',
  Action: 's3:GetObject',
  Resource: '*',
};

export function policy(changes: object): object {
  return { Version: '2012-10-17', Statement: { ...allowGet, ...changes } };
}

export function bucketPolicy(changes: object): object {
  return policy({ Principal: '*', ...changes });
}

export function trustPolicy(changes: object): object {
  const statement = { Effect: 'Allow', Principal: { AWS: account }, Action: 'sts:AssumeRole', ...changes };
  return { Version: '2012-10-17', Statement: statement };
}

export function condition(operator: string, value: unknown, key = 'aws:username'): object {
  return policy({ Condition: { [operator]: { [key]: value } } });
}

export function problemsOf(source: unknown, kind: PolicyKind): readonly { path: string; message: string }[] {
  try {
    parsePolicyDocument(source, kind);
  } catch (error) {
    if (error instanceof PolicyDocumentError) return error.problems;
    throw error;
  }
  return [];
}

/** A variable of policy language. */
export const variable: (body: string) => string = (body: string): string => `$\{${body}}`;

/** A document that must be refused, with the path of one of its problems. */
export type Rejection = readonly [title: string, kind: PolicyKind, source: unknown, path: string];
