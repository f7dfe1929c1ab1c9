import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { images } from './images.ts';
import { attempt, run } from './run.ts';

const PROGRAMS = [
  ['etcd', 'etcd-server'],
  ['containerd', 'containerd'],
  ['ctr', 'containerd'],
  ['runc', 'runc'],
  ['podman', 'podman'],
  ['debootstrap', 'debootstrap'],
  ['iptables', 'iptables'],
  ['conntrack', 'conntrack'],
  ['ip', 'iproute2'],
  ['dnsmasq', 'dnsmasq-base'],
  ['openssl', 'openssl'],
  ['/usr/lib/cni/ptp', 'containernetworking-plugins'],
] as const;

/**
 * vitest's global set-up of the cluster suite: builds the images, starts the cluster, and takes everything away at the
 * end. The node's script watches this process, so that the cluster also ends when it is killed.
 *
 * `STS_SIDECAR_CLUSTER` names the folder of a cluster that is up already, to work on the tests.
 */
export async function setup(): Promise<() => Promise<void>> {
  const started = performance.now();
  const say = (text: string): void => {
    process.stdout.write(`[${((performance.now() - started) / 1000).toFixed(0)} s] ${text}\n`);
  };
  await requirePrograms();
  const components = await run(
    'test/components/install.sh',
    ['kubernetes', 'helm', 'versitygw', 'node', 'boto3'],
    {
      inherit: true,
    },
  );
  for (const line of components.trim().split('\n')) {
    const [name, folder] = line.split(' ');
    if ((name === 'kubernetes' || name === 'helm') && folder !== undefined) prependToPath(folder);
  }
  say('building images');
  await run('test/cluster/images.sh', ['bases'], { show: true, inherit: true });
  await run('test/cluster/images.sh', ['product'], { inherit: true });
  const existing = process.env['STS_SIDECAR_CLUSTER'];
  const folder = existing ?? (await mkdtemp(join(tmpdir(), 'sts-sidecar-cluster-')));
  const node = (verb: string, ...rest: string[]): Promise<string> =>
    run('test/cluster/node.sh', [verb, folder, ...rest], { show: true });
  const stop = async (): Promise<void> => {
    if (existing === undefined) await node('down');
  };
  try {
    if (existing === undefined) {
      say('starting the cluster');
      await node('up', String(process.pid));
    }
    say('loading images');
    await node('load', ...Object.values(images));
  } catch (error) {
    await stop();
    throw error;
  }
  process.env['KUBECONFIG'] = join(folder, 'admin.kubeconfig');
  say('ready');
  return stop;
}

async function requirePrograms(): Promise<void> {
  const missing: string[] = [];
  for (const [program, debianPackage] of PROGRAMS) {
    const { code } = await attempt('bash', ['-c', `PATH="$PATH:/usr/sbin:/sbin"; command -v ${program}`]);
    if (code !== 0) missing.push(debianPackage);
  }
  if (missing.length > 0) {
    throw new Error(`real components are missing; apt-get install ${[...new Set(missing)].join(' ')}`);
  }
}

function prependToPath(folder: string): void {
  process.env['PATH'] = `${folder}${delimiter}${process.env['PATH'] ?? ''}`;
}
