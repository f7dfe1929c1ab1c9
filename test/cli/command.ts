import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../src/cli/program.ts';

let folder: string | undefined;

/** What a command printed and how it ended. */
export interface Execution {
  readonly code: number;
  /** stdout */
  readonly data: string;
  /** stderr */
  readonly prose: string;
}

/** Runs one command line. */
export async function execute(...words: readonly string[]): Promise<Execution> {
  const data: string[] = [];
  const prose: string[] = [];
  const code = await run(words, { data: (text) => data.push(text), prose: (text) => prose.push(text) });
  return { code, data: data.join('\n'), prose: prose.join('\n') };
}

/** Writes a file into a folder of its own and returns its path. It exists until {@link removeFiles} runs. */
export function file(name: string, text: string): string {
  folder ??= mkdtempSync(join(tmpdir(), 'sts-sidecar-cli-'));
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** Removes what {@link file} wrote: the last thing each test file does. */
export function removeFiles(): void {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  folder = undefined;
}

/** The path of a file that does not exist. */
export const missingFile: string = join(tmpdir(), 'sts-sidecar-no-such-folder', 'none.yaml');

/** A configuration with a bit of everything that policies can be. */
export const policyConfiguration: string = `apiVersion: sts-sidecar/v1
backend:
  endpoint: http://127.0.0.1:9001
  credentials: { accessKeyId: KEY, secretAccessKey: a-literal-secret }
account: { id: "123456789012" }
tokens: { sealWith: k, keys: [{ id: k, secret: ${Buffer.alloc(32, 1).toString('base64')} }] }
directory:
  policies:
    ReadData:
      Version: "2012-10-17"
      Statement:
        - { Sid: Read, Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::data/*" }
        - { Sid: Team, Effect: Allow, Action: "s3:PutObject", Resource: "arn:aws:s3:::data/\${aws:PrincipalTag/team}/*" }
        - { Sid: NoSecrets, Effect: Deny, Action: "s3:*", Resource: "arn:aws:s3:::data/secret/*" }
        - { Sid: Tagged, Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::tagged/*", Condition: { StringEquals: { "s3:ExistingObjectTag/team": blue } } }
        - { Sid: Office, Effect: Allow, Action: "s3:ListBucket", Resource: "arn:aws:s3:::data", Condition: { IpAddress: { "aws:SourceIp": 10.0.0.0/8 }, StringLike: { "s3:prefix": "2026/*" } } }
        - { Sid: Listing, Effect: Allow, Action: "s3:ListBucket", Resource: "arn:aws:s3:::listed", Condition: { NumericLessThanEquals: { "s3:max-keys": 1000 } } }
    OnlyReading:
      Version: "2012-10-17"
      Statement: { Effect: Allow, Action: "s3:GetObject", Resource: "*" }
  users:
    - name: alice
      path: /staff/
      policies: [ReadData]
      tags: { team: blue }
      inlinePolicies: { CanAssume: { Version: "2012-10-17", Statement: { Effect: Allow, Action: "sts:AssumeRole", Resource: "*" } } }
    - { name: bounded, policies: [ReadData], permissionsBoundary: OnlyReading, tags: { team: blue } }
    - { name: nobody }
  roles:
    - name: data-reader
      trustPolicy:
        Version: "2012-10-17"
        Statement:
          - { Sid: Account, Effect: Allow, Principal: { AWS: "123456789012" }, Action: "sts:AssumeRole", Condition: { StringEquals: { "sts:ExternalId": x } } }
          - { Sid: NotAtNight, Effect: Deny, Principal: { AWS: "*" }, Action: "sts:AssumeRole", Condition: { DateGreaterThan: { "aws:CurrentTime": "2030-01-01T00:00:00Z" } } }
          - { Sid: NotInThatCentury, Effect: Deny, Principal: { AWS: "*" }, Action: "sts:AssumeRole", Condition: { NumericGreaterThan: { "aws:EpochTime": "2524608000" } } }
      policies: [ReadData]
      enforcement: audit
    - name: ci
      trustPolicy:
        Version: "2012-10-17"
        Statement: { Sid: RepoA, Effect: Allow, Principal: { Federated: "arn:aws:iam::123456789012:oidc-provider/login.example.com" }, Action: "sts:AssumeRoleWithWebIdentity", Condition: { StringEquals: { "login.example.com:sub": repo-a } } }
  bucketPolicies:
    open: { Version: "2012-10-17", Statement: { Sid: Everybody, Effect: Allow, Principal: "*", Action: "s3:GetObject", Resource: "arn:aws:s3:::open/*" } }
    closed: { Version: "2012-10-17", Statement: { Sid: Nobody, Effect: Deny, Principal: { AWS: "*" }, Action: "s3:*", Resource: ["arn:aws:s3:::closed", "arn:aws:s3:::closed/*"] } }
  identityProviders:
    - { kind: oidc, name: company, issuer: "https://login.example.com", clientIds: [app] }
`;
