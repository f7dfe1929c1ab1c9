import { type App, createApp } from '../app.ts';
import { parseConfiguration } from '../config/load.ts';
import type { ConfigurationSources } from '../config/sources.ts';
import { systemClock } from '../core/clock.ts';
import { type Randomness, systemRandomness } from '../core/randomness.ts';
import { Secret } from '../core/secret.ts';
import { DemoClient, readCredentials } from '../demo/demo-client.ts';
import { DemoClock } from '../demo/demo-clock.ts';
import {
  type DemoSecrets,
  demoConfiguration,
  demoNames,
  demoStoreAccessKeyId,
} from '../demo/demo-configuration.ts';
import { runScenario, ScenarioError } from '../demo/scenario.ts';
import { type DemoStore, startDemoStore } from '../demo/store/demo-store.ts';
import { stopSignal } from './serve.ts';
import { exitCodes, type Terminal } from './terminal.ts';

/** What `demo` was asked to do. */
export interface DemoOptions {
  /** Run the scenario once and exit. */
  readonly once: boolean;
  /** The port to listen on, 0 for a free one. When absent: 9000, or a free one if that is taken. */
  readonly port: number | undefined;
}

interface Demo {
  readonly store: DemoStore;
  readonly app: App;
  readonly url: string;
  readonly clock: DemoClock;
  readonly secrets: DemoSecrets;
}

/** Runs the sidecar in front of an in-process demo store, with nothing installed and nothing kept. */
export async function demo(options: DemoOptions, terminal: Terminal): Promise<number> {
  const running = await startDemo(options.once ? [0] : portsToTry(options.port), terminal);
  if (running === undefined) return exitCodes.failure;
  try {
    if (options.once) return await runOnce(running, terminal);
    terminal.data(instructions(running));
    terminal.prose('The store behind it is a demo store: it keeps everything in memory. Ctrl-C ends it.');
    await stopSignal();
    return exitCodes.ok;
  } finally {
    await running.app.stop();
    await running.store.close();
  }
}

const usualPort = 9000;

function portsToTry(port: number | undefined): number[] {
  return port === undefined ? [usualPort, 0] : [port];
}

async function startDemo(ports: readonly number[], terminal: Terminal): Promise<Demo | undefined> {
  const clock = new DemoClock(systemClock);
  const secrets = makeSecrets(systemRandomness);
  const store = await startDemoStore({
    accessKeyId: demoStoreAccessKeyId,
    secretAccessKey: new Secret(secrets.storeSecret),
    region: 'us-east-1',
    clock,
  });
  for (const port of ports) {
    const loaded = parseConfiguration(
      demoConfiguration(store.url, port, secrets),
      'demo.yaml',
      nothingOutside,
    );
    if (!loaded.ok) throw new Error(`the demo's own configuration is wrong: ${loaded.problems.join('; ')}`);
    const app = createApp({ ...loaded, clock, randomness: systemRandomness });
    try {
      return { store, app, url: (await app.start()).url, clock, secrets };
    } catch (error) {
      terminal.prose(
        `cannot listen on port ${port}: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
  await store.close();
  terminal.prose('choose another port with --port, or --port 0 for any free one');
  return undefined;
}

const nothingOutside: ConfigurationSources = {
  environment: () => undefined,
  readText: () => ({ ok: false, reason: 'the demo reads no files' }),
};

function makeSecrets(randomness: Randomness): DemoSecrets {
  const random = (length: number): string => Buffer.from(randomness.bytes(length)).toString('base64');
  return { userSecret: random(30), storeSecret: random(30), tokenKey: random(32) };
}

async function runOnce({ url, clock, secrets }: Demo, terminal: Terminal): Promise<number> {
  const user = { accessKeyId: demoNames.userAccessKeyId, secretAccessKey: new Secret(secrets.userSecret) };
  try {
    await runScenario({
      user: new DemoClient(url, user, clock),
      sessionOf: (answer) => new DemoClient(url, readCredentials(answer), clock),
      advance: (milliseconds) => clock.advance(milliseconds),
      report: (line) => terminal.data(line),
    });
    terminal.data('demo: everything answered as it should');
    return exitCodes.ok;
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error;
    terminal.prose(`demo failed: ${error.message}`);
    return exitCodes.failure;
  }
}

// `--endpoint-url` rather than AWS_ENDPOINT_URL: AWS CLI versions before 2.13 do not know the variable.
function instructions({ url, secrets }: Demo): string {
  const { bucket, roleArn, userAccessKeyId } = demoNames;
  const pick = (name: string, field: string): string => `join('=',['${name}',Credentials.${field}])`;
  const query = [
    "'export'",
    pick('AWS_ACCESS_KEY_ID', 'AccessKeyId'),
    pick('AWS_SECRET_ACCESS_KEY', 'SecretAccessKey'),
    pick('AWS_SESSION_TOKEN', 'SessionToken'),
  ].join(',');
  return `# 1. the demo user's long-term key
unset AWS_PROFILE AWS_SESSION_TOKEN
export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
export AWS_ACCESS_KEY_ID=${userAccessKeyId} AWS_SECRET_ACCESS_KEY=${secrets.userSecret}

# 2. temporary credentials of ${roleArn}
eval "$(aws --endpoint-url ${url} sts assume-role --role-arn ${roleArn} --role-session-name me \\
  --query "join(' ',[${query}])" --output text)"
aws --endpoint-url ${url} sts get-caller-identity

# 3. use them
aws --endpoint-url ${url} s3 mb s3://${bucket}
echo hello | aws --endpoint-url ${url} s3 cp - s3://${bucket}/hello.txt
aws --endpoint-url ${url} s3 ls s3://${bucket}/
aws --endpoint-url ${url} s3 cp s3://${bucket}/hello.txt -

# 4. refused by the role's policy: AccessDenied
echo secret | aws --endpoint-url ${url} s3 cp - s3://${bucket}/private/plan.txt`;
}
