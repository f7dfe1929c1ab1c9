import { readFileSync } from 'node:fs';
import type { AssumeRoleCommandInput } from '@aws-sdk/client-sts';

/** What one catalog or engine sends to AssumeRole for one table. */
export interface CatalogRequest {
  /** The catalog or engine, as `sources` of the vectors name it. */
  readonly sender: string;
  readonly name: string;
  readonly access: 'write' | 'read' | 'nothing';
  /** Its policy lets its holder list the names of tables that begin with the name of this one. */
  readonly listsSiblings?: true;
  /** The parameters besides the policy; `{role}` stands for the ARN of the role. */
  readonly input: Omit<AssumeRoleCommandInput, 'Policy'>;
  /** The session policy, with `{bucket}` and `{location}`; absent where none is sent. */
  readonly policy?: object;
}

interface Vectors {
  readonly sources: Readonly<Record<string, object>>;
  readonly requests: readonly CatalogRequest[];
}

const vectors = JSON.parse(
  readFileSync(new URL('../vectors/sts/catalog-requests.json', import.meta.url), 'utf8'),
) as Vectors;

/** Every recorded request. */
export const catalogRequests: readonly CatalogRequest[] = vectors.requests;

/** The catalogs and engines whose sources were read. */
export const catalogSources: readonly string[] = Object.keys(vectors.sources);

/** Where a table is, and the role to ask for. */
export interface TablePlace {
  readonly roleArn: string;
  readonly bucket: string;
  /** Without a slash at either end. */
  readonly location: string;
}

/** The input of AssumeRole as the sender fills it in for one table. */
export function inputFor({ input, policy }: CatalogRequest, place: TablePlace): AssumeRoleCommandInput {
  const filled = { ...input, RoleArn: place.roleArn };
  return policy === undefined ? filled : { ...filled, Policy: policyFor(policy, place) };
}

/** The text of a policy of the vectors for one table. Wildcards of the location are escaped, as all of the senders do. */
export function policyFor(policy: object, { bucket, location }: Omit<TablePlace, 'roleArn'>): string {
  const escaped = location.replace(/[*?$]/g, (wildcard) => `$\{${wildcard}}`);
  return JSON.stringify(policy)
    .replaceAll('{bucket}', bucket)
    .replaceAll('{location}', () => escaped);
}
