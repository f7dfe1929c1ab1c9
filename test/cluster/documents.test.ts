import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { images } from './images.ts';
import { Namespace } from './kubernetes.ts';
import { attempt, run } from './run.ts';

const namespace = new Namespace('storage');

describe("the README's installation", () => {
  afterAll(() => namespace.remove());

  it('ends with a working pod when it is followed literally', async () => {
    const blocks = markedBlocks(await readFile('README.md', 'utf8'));
    expect(blocks.length).toBeGreaterThan(0);
    let last = '';
    for (const block of blocks) {
      last = await run('bash', ['--norc', '-euo', 'pipefail', '-c', block], {
        environment: kubernetesEnvironment(),
      });
    }
    expect(last.trimEnd().split('\n').at(-1)).toBe('hello');
  });
});

describe('the manifests', () => {
  beforeAll(() => namespace.create());
  afterAll(() => namespace.remove());

  it('make a store that an application without a key can use', async () => {
    for (const name of ['store-with-sidecar', 'application']) {
      await namespace.apply(await readFile(`deploy/manifests/${name}.yaml`, 'utf8'));
    }
    await namespace.kubectl('rollout', 'status', 'statefulset/store', '--timeout=90s');
    await namespace.kubectl('wait', '--for=condition=Ready', 'pod/reports-app', '--timeout=60s');
    const made = await namespace.exec('reports-app', 'aws', 's3', 'mb', 's3://reports');
    expect(made.code, made.stderr).toBe(0);
    const wrote = await namespace.exec(
      'reports-app',
      'sh',
      '-c',
      'echo hello | aws s3 cp - s3://reports/hello.txt',
    );
    expect(wrote.code, wrote.stderr).toBe(0);
    const read = await namespace.exec('reports-app', 'aws', 's3', 'cp', 's3://reports/hello.txt', '-');
    expect(read.stdout, read.stderr).toBe('hello\n');
  });

  it('refuse what the policy denies', async () => {
    const read = await namespace.exec(
      'reports-app',
      'aws',
      's3api',
      'get-object',
      '--bucket',
      'reports',
      '--key',
      'private/plan.txt',
      '/dev/null',
    );
    expect(read.stderr).toContain('(AccessDenied)');
  });

  it('keep the store out of reach of other pods', async () => {
    const address = await namespace.kubectl('get', 'pod', 'store-0', '-o', 'jsonpath={.status.podIP}');
    const direct = await namespace.exec(
      'reports-app',
      'node',
      '-e',
      `fetch('http://${address}:9001/').then(() => process.exit(0), (error) => { console.log(error.cause.code); process.exit(7); })`,
    );
    expect(direct).toMatchObject({ code: 7, stdout: 'ECONNREFUSED\n' });
  });
});

describe('the chart', () => {
  it.each(['gateway', 'sidecar', 'everything', 'config'])(
    'passes helm lint and helm template: ci/%s-values.yaml',
    async (name) => {
      const values = ['-f', `helm/sts-sidecar/ci/${name}-values.yaml`];
      await run('helm', ['lint', '--strict', 'helm/sts-sidecar', ...values]);
      const rendered = await attempt('helm', [
        'template',
        'release',
        'helm/sts-sidecar',
        ...values,
        '--kube-version=1.34.4',
        '--api-versions=monitoring.coreos.com/v1',
      ]);
      expect(rendered.code, rendered.stderr).toBe(0);
      expect(rendered.stdout.includes('kind: ServiceMonitor')).toBe(name === 'everything');
    },
  );

  it.each([
    ['an unknown value', 'surprise=1'],
    ['an unknown mode', 'mode=both'],
    ['a literal secret', 'directory.users[0].accessKeys[0].secretAccessKey=abc'],
    ['no Secret of the store', 'backend.existingSecret='],
    ['no Secret of token keys', 'tokens.existingSecret='],
    ['no address of the store', 'backend.endpoint='],
    ['a privileged port', 'ports.s3=80'],
    ['a role to test without a bucket', 'tests.roleArn=arn:aws:iam::123456789012:role/a'],
  ])('refuses %s', async (_, assignment) => {
    const values = [
      '-f',
      'helm/sts-sidecar/ci/gateway-values.yaml',
      '--set',
      assignment,
      '--kube-version=1.34.4',
    ];
    const rendered = await attempt('helm', ['template', 'release', 'helm/sts-sidecar', ...values]);
    expect(rendered.code).not.toBe(0);
    expect(rendered.stderr).toContain("values don't meet the specifications of the schema");
  });

  it('renders no monitor where the cluster has no such API', async () => {
    const values = ['-f', 'helm/sts-sidecar/ci/everything-values.yaml', '--kube-version=1.34.4'];
    expect(await run('helm', ['template', 'release', 'helm/sts-sidecar', ...values])).not.toContain(
      'Monitor',
    );
  });
});

describe('the compose file', () => {
  it('holds a configuration that the image accepts, and no secret', async () => {
    const compose: unknown = parse(await readFile('deploy/compose.yaml', 'utf8'));
    expect(compose).toMatchObject({ configs: { sidecar: { content: expect.any(String) } } });
    const { content } = (compose as { configs: { sidecar: { content: string } } }).configs.sidecar;
    const check = await attempt(
      'test/cluster/podman.sh',
      [
        ...[
          'run',
          '--rm',
          '--interactive',
          '--pull=never',
          '--network=none',
          '--env=STORE_SECRET=a-store-secret',
        ],
        ...[
          '--env=USER_SECRET=a-user-secret-of-alice',
          `--env=TOKEN_KEY=${Buffer.alloc(32, 7).toString('base64')}`,
        ],
        ...[images.product, 'config', 'check', '/dev/stdin'],
      ],
      { inherit: true, input: content },
    );
    expect(check.code, check.stderr).toBe(0);
    // A network of containers is plain HTTP; there must be no other warning.
    const warnings = check.stderr.split('\n').filter((line) => line.includes('warning'));
    expect(warnings.filter((line) => !line.includes('plain HTTP beyond loopback'))).toEqual([]);
  });
});

// The README's shell blocks that follow a line `<!-- run by test/cluster -->`.
function markedBlocks(text: string): string[] {
  return [...text.matchAll(/^<!-- run by test\/cluster -->\n+```sh\n(.*?)^```$/gms)].map(
    ([, block]) => block ?? '',
  );
}

function kubernetesEnvironment(): Record<string, string> {
  return { KUBECONFIG: process.env['KUBECONFIG'] ?? '' };
}
