import { readdirSync, readFileSync } from 'node:fs';
import type { PolicyPrincipal } from '../../src/iam/evaluate.ts';

type Context = Readonly<Record<string, string | readonly string[]>>;

/** What a case expects of a decision. */
export interface Expectation {
  readonly decision: 'allow' | 'implicitDeny' | 'explicitDeny' | 'needs';
  readonly by?: string;
  readonly sid?: string;
  readonly resourceLevel?: string;
  readonly keys?: readonly string[];
}

/** One case of the corpus, in full. */
export interface VectorCase {
  readonly name: string;
  readonly source: string;
  readonly request: {
    readonly principal: PolicyPrincipal;
    readonly action: string;
    readonly resource: string;
    readonly context: Context;
    readonly lazyKeys?: readonly string[] | undefined;
  };
  readonly identityPolicies: readonly unknown[];
  readonly sessionPolicies?: readonly unknown[];
  readonly permissionsBoundary?: readonly unknown[];
  readonly resourcePolicy?: readonly unknown[];
  readonly trustPolicy?: readonly unknown[];
  readonly expected: Expectation;
}

/** A case as a file has it: what most cases have in common may be left out. */
interface WrittenCase extends Omit<VectorCase, 'request' | 'identityPolicies'> {
  readonly request?: VectorCase['request'];
  /** Instead of `request`, where someone reads the object `b/k`; anna, a user, unless given. */
  readonly principal?: PolicyPrincipal;
  readonly context?: Context;
  readonly lazyKeys?: readonly string[];
  readonly identityPolicies?: readonly unknown[];
  /** Instead of `identityPolicies`: the condition of one statement that allows everything. */
  readonly allowIf?: unknown;
  /** Of that statement's policy; 2012-10-17 when absent. */
  readonly version?: string;
}

const anna: PolicyPrincipal = {
  kind: 'user',
  accountId: '123456789012',
  arn: 'arn:aws:iam::123456789012:user/anna',
};

function complete({
  principal = anna,
  context = {},
  lazyKeys,
  allowIf,
  version,
  ...written
}: WrittenCase): VectorCase {
  const statement = { Effect: 'Allow', Action: '*', Resource: '*', Condition: allowIf };
  return {
    ...written,
    request: written.request ?? {
      principal,
      action: 's3:GetObject',
      resource: 'arn:aws:s3:::b/k',
      context,
      lazyKeys,
    },
    identityPolicies: written.identityPolicies ?? [
      { Version: version ?? '2012-10-17', Statement: statement },
    ],
  };
}

const folder = new URL('../vectors/iam/', import.meta.url);

/** Every file of the corpus with its cases. */
export const corpus: readonly { readonly file: string; readonly cases: readonly VectorCase[] }[] =
  readdirSync(folder)
    .sort()
    .map((file) => {
      const { cases } = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as { cases: WrittenCase[] };
      return { file, cases: cases.map(complete) };
    });
