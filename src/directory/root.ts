import { type CompiledPolicy, compilePolicy } from '../iam/compile.ts';
import { parsePolicyDocument } from '../iam/document.ts';
import { iamArn } from './managed-policies.ts';
import type { AccountRecord } from './records.ts';

/** The account's root: an identity that allows everything and has no boundary. */
export interface Root {
  readonly kind: 'root';
  /** `arn:<partition>:iam::<account>:root` */
  readonly arn: string;
  /** The account id. */
  readonly userId: string;
  readonly policies: readonly CompiledPolicy[];
  readonly boundary?: undefined;
  readonly tags: ReadonlyMap<string, string>;
}

const everything = {
  Version: '2012-10-17',
  Statement: [{ Sid: 'Root', Effect: 'Allow', Action: '*', Resource: '*' }],
};

/** Builds the root of an account. */
export function buildRoot(account: AccountRecord): Root {
  return Object.freeze({
    kind: 'root',
    arn: iamArn(account, 'root'),
    userId: account.id,
    policies: [compilePolicy(parsePolicyDocument(everything, 'identity'), 'root')],
    tags: new Map(),
  });
}
