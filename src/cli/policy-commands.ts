import type { Command } from 'commander';
import { configurationPath } from '../config/sources.ts';
import { simulatePolicies } from './policy-simulate.ts';
import { testPolicies } from './policy-test.ts';
import type { Terminal } from './terminal.ts';

/** Adds `policy simulate` and `policy test`. */
export function addPolicy(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  const policy = program
    .command('policy')
    .description('check what policies allow, without a running sidecar');
  addSimulate(policy, terminal, exit);
  addTest(policy, terminal, exit);
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

const simulateHelp = `
Prints the decision, what decided it, and every statement that matches.
Exit code: 0 when everything is allowed, 1 when something is denied, 2 for an invalid question or
configuration, and for a decision that depends on context keys that were not given.

Examples:
  sts-sidecar policy simulate --config sidecar.yaml \\
    --principal arn:aws:sts::123456789012:assumed-role/data-reader/alice \\
    --action s3:GetObject --resource arn:aws:s3:::data/2026/a.parquet --context aws:SourceIp=10.0.0.7
  sts-sidecar policy simulate --config sidecar.yaml --principal arn:aws:iam::123456789012:user/alice \\
    --action sts:AssumeRole --resource arn:aws:iam::123456789012:role/data-reader --context sts:ExternalId=x
  sts-sidecar policy simulate --config sidecar.yaml --web-identity-provider company \\
    --action sts:AssumeRoleWithWebIdentity --resource arn:aws:iam::123456789012:role/ci \\
    --context login.example.com:sub=repo-a --json`;

interface SimulateFlags {
  readonly config?: string;
  readonly principal?: string;
  readonly webIdentityProvider?: string;
  readonly samlProvider?: string;
  readonly sessionToken: boolean;
  readonly mfaAge?: string;
  readonly federatedBy?: string;
  readonly policyName: string[];
  readonly action: string[];
  readonly resource: string[];
  readonly context: string[];
  readonly absent: string[];
  readonly sessionPolicy?: string;
  readonly sessionPolicyArn: string[];
  readonly scopeDown: string[];
  readonly tag: string[];
  readonly json: boolean;
}

function addSimulate(policy: Command, terminal: Terminal, exit: (code: number) => void): void {
  const command: Command = policy
    .command('simulate')
    .description('decide actions on resources as the sidecar would, and say why')
    .option('--config <file>', 'the configuration file (or STS_SIDECAR_CONFIG)')
    .option('--principal <arn>', 'the ARN of the caller: a user, root, a role or a session; * for anonymous')
    .option(
      '--web-identity-provider <provider>',
      'the caller presents a token of this provider: its name, issuer or ARN',
    )
    .option(
      '--saml-provider <provider>',
      'the caller presents an assertion of this provider: its name, entity id or ARN',
    )
    .option('--session-token', 'the user or root uses credentials from GetSessionToken', false)
    .option('--mfa-age <seconds>', "age in seconds of the caller's MFA code")
    .option('--federated-by <arn>', 'the ARN of the user or root that called GetFederationToken')
    .option(
      '--policy-name <name>',
      'the name of a policy in the claim of a claim-mode token (repeatable)',
      collect,
      [],
    )
    .option('--action <action>', 'the action to decide, for example s3:GetObject (repeatable)', collect, [])
    .option('--resource <arn>', 'the ARN of the bucket, object or role (repeatable)', collect, [])
    .option(
      '--context <key=value>',
      'a context key and its value (repeatable, also for several values of a key)',
      collect,
      [],
    )
    .option(
      '--absent <key>',
      'a context key or tag prefix that the request does not have (repeatable)',
      collect,
      [],
    )
    .option('--session-policy <file>', 'a JSON file with an inline session policy')
    .option('--session-policy-arn <arn>', 'the ARN of a managed session policy (repeatable)', collect, [])
    .option(
      '--scope-down <file>',
      'a JSON file with a scope-down policy of GetScopedCredentials (repeatable, up to three)',
      collect,
      [],
    )
    .option('--tag <key=value>', 'a session tag (repeatable)', collect, [])
    .option('--json', 'print JSON', false)
    .addHelpText('after', simulateHelp);
  command.action((flags: SimulateFlags) => {
    const path = configurationPath(flags.config);
    if (path === undefined) command.error('policy simulate needs --config or STS_SIDECAR_CONFIG');
    if (flags.action.length === 0) command.error('policy simulate needs --action');
    if (flags.resource.length === 0) command.error('policy simulate needs --resource');
    exit(simulatePolicies(path, flags, terminal));
  });
}

const testHelp = `
Prints one line for each difference from what a case expects, and a summary.
Exit code: 0 when all pass, 1 when some fail, 2 for an invalid file or configuration.

Examples:
  sts-sidecar policy test cases.yaml
  sts-sidecar policy test --config sidecar.yaml cases.yaml --json

A file of cases:
  config: sidecar.yaml
  cases:
    - name: readers read
      principal: arn:aws:iam::123456789012:role/data-reader
      action: s3:GetObject
      resource: arn:aws:s3:::data/a.parquet
      expect: allow`;

function addTest(policy: Command, terminal: Terminal, exit: (code: number) => void): void {
  policy
    .command('test')
    .description('check policy decisions against a file of expected results')
    .argument('<cases>', 'the YAML file of cases')
    .option('--config <file>', 'the configuration file; overrides the one named in the cases')
    .option('--json', 'print JSON', false)
    .addHelpText('after', testHelp)
    .action((path: string, { config, json }: { config?: string; json: boolean }) => {
      exit(testPolicies(path, { config, json }, terminal));
    });
}
