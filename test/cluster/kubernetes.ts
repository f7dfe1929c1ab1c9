import { randomBytes } from 'node:crypto';
import { attempt, type Outcome, run } from './run.ts';

const environment = (): Readonly<Record<string, string>> => {
  const kubeconfig = process.env['KUBECONFIG'];
  if (kubeconfig === undefined) throw new Error('no cluster is up');
  return { KUBECONFIG: kubeconfig, HELM_CACHE_HOME: '/nonexistent', HELM_CONFIG_HOME: '/nonexistent' };
};

/** One namespace of the tests' cluster that enforces the restricted profile, and the programs that act on it. */
export class Namespace {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  /** Makes the namespace, with the Secrets that the chart and the manifests ask for. */
  async create(): Promise<void> {
    await run('kubectl', ['create', 'namespace', this.name], { environment: environment() });
    await run('kubectl', ['label', 'namespace', this.name, 'pod-security.kubernetes.io/enforce=restricted'], {
      environment: environment(),
    });
    const secret = (name: string, values: Readonly<Record<string, string>>): Promise<string> =>
      this.kubectl(
        'create',
        'secret',
        'generic',
        name,
        ...Object.entries(values).map(([key, value]) => `--from-literal=${key}=${value}`),
      );
    await secret('store-key', {
      'access-key-id': 'STOREKEYOFTHETESTS01',
      'secret-access-key': randomBytes(24).toString('base64url'),
    });
    await secret('token-keys', { k1: randomBytes(32).toString('base64') });
  }

  async remove(): Promise<void> {
    await run('kubectl', ['delete', 'namespace', this.name, '--ignore-not-found', '--timeout=60s'], {
      environment: environment(),
    });
  }

  async kubectl(...argumentsGiven: string[]): Promise<string> {
    return await run('kubectl', ['--namespace', this.name, ...argumentsGiven], {
      environment: environment(),
    });
  }

  async apply(manifest: string): Promise<void> {
    await run('kubectl', ['--namespace', this.name, 'apply', '-f', '-'], {
      environment: environment(),
      input: manifest,
    });
  }

  /** Runs a program in a pod, whatever its exit code. */
  async exec(pod: string, ...command: string[]): Promise<Outcome> {
    return await attempt('kubectl', ['--namespace', this.name, 'exec', pod, '--', ...command], {
      environment: environment(),
    });
  }

  async helm(...argumentsGiven: string[]): Promise<Outcome> {
    return await attempt('helm', ['--namespace', this.name, ...argumentsGiven], {
      environment: environment(),
    });
  }

  /** What is left of a release: kinds and names. */
  async remains(release: string): Promise<string[]> {
    const kinds = 'all,configmaps,secrets,serviceaccounts,persistentvolumeclaims,clusterrolebindings';
    const listed = await this.kubectl(
      'get',
      kinds,
      '-l',
      `app.kubernetes.io/instance=${release}`,
      '-o',
      'name',
    );
    return listed.split('\n').filter((line) => line !== '');
  }
}
