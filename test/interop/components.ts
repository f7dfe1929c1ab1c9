import { execFileSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';

/** The name of a program that the interop suite needs. */
export type ComponentName =
  | 'ceph'
  | 'ceph-mon'
  | 'ceph-osd'
  | 'monmaptool'
  | 'radosgw'
  | 'radosgw-admin'
  | 'setpriv'
  | 'aws'
  | 'curl'
  | 'minio'
  | 'oathtool'
  | 'php'
  | 'prometheus'
  | 'promtool'
  | 'rclone'
  | 'redis-server'
  | 'restic'
  | 's3cmd'
  | 'versitygw'
  | 'xmlsec1';

/** One real program that the interop suite starts. */
interface Component {
  readonly name: ComponentName;
  /** What it is for, as printed when it is missing. */
  readonly purpose: string;
  /** Where it comes from; absent for what is built into the cache. */
  readonly debianPackage?: string;
  /** The only place where it may be found; every folder of `PATH` when absent. */
  readonly path?: string;
}

const COMPONENTS: readonly Component[] = [
  { name: 'ceph-mon', purpose: 'monitor of the Ceph store', debianPackage: 'ceph-mon' },
  { name: 'ceph-osd', purpose: 'object daemon of the Ceph store', debianPackage: 'ceph-osd' },
  { name: 'radosgw', purpose: 'S3 gateway of the Ceph store', debianPackage: 'radosgw' },
  { name: 'radosgw-admin', purpose: 'creates the store user', debianPackage: 'radosgw' },
  { name: 'monmaptool', purpose: 'names the monitor and its port', debianPackage: 'ceph-base' },
  { name: 'ceph', purpose: 'registers the object daemon', debianPackage: 'ceph-common' },
  { name: 'setpriv', purpose: 'ends the daemons with the tests', debianPackage: 'util-linux' },
  // Debian's own, not the first in PATH, so that the tested version is known.
  { name: 'aws', purpose: 'AWS CLI', debianPackage: 'awscli', path: '/usr/bin/aws' },
  { name: 'curl', purpose: 'presigned URLs', debianPackage: 'curl' },
  { name: 'rclone', purpose: 'a client', debianPackage: 'rclone', path: '/usr/bin/rclone' },
  { name: 'restic', purpose: 'a client that signs each chunk', debianPackage: 'restic' },
  { name: 's3cmd', purpose: 'a client', debianPackage: 's3cmd', path: '/usr/bin/s3cmd' },
  { name: 'prometheus', purpose: 'scrapes the sidecar', debianPackage: 'prometheus' },
  { name: 'promtool', purpose: 'checks the metrics', debianPackage: 'prometheus' },
  { name: 'oathtool', purpose: 'makes one-time codes', debianPackage: 'oathtool' },
  { name: 'php', purpose: 'runs SimpleSAMLphp', debianPackage: 'php-cli' },
  { name: 'redis-server', purpose: 'state of several replicas', debianPackage: 'redis-server' },
  { name: 'xmlsec1', purpose: 'signs and verifies SAML assertions', debianPackage: 'xmlsec1' },
  { name: 'versitygw', purpose: 'a store' },
  { name: 'minio', purpose: 'a store' },
];

/** What `test/components/install.sh` puts into the cache for this suite. */
const CACHED = [
  ...['versitygw', 'minio', 'boto3', 'awscli', 'awsgo', 'awsjava', 'keycloak', 'miniogo'],
  ...['nessie', 'pyiceberg', 'spark'],
] as const;

/** A component of the cache. */
export type CachedComponent = (typeof CACHED)[number];

const installer = new URL('../components/install.sh', import.meta.url).pathname;
const folders = new Map<string, string>();

/** The folder of a component in the cache; throws when it is not there. */
export function cachedFolder(name: CachedComponent): string {
  const known = folders.get(name);
  if (known !== undefined) return known;
  const printed = execFileSync(installer, ['--cached', name], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const folder = printed.trim().slice(name.length + 1);
  folders.set(name, folder);
  return folder;
}

/** The absolute path of the program; throws an error that names its Debian package where it is not installed. */
export function requireComponent(name: ComponentName): string {
  const component = COMPONENTS.find((candidate) => candidate.name === name);
  const path = component === undefined ? undefined : locate(component);
  if (path === undefined) throw new Error(`real component is missing: ${name}`);
  return path;
}

/** The programs that are not installed. */
export function missingComponents(): readonly ComponentName[] {
  return COMPONENTS.filter((component) => locate(component) === undefined).map(({ name }) => name);
}

/**
 * vitest's global set-up of the interop suite: prints where each component was found and which ones are missing, and
 * fails the whole run when one is, so that it can never pass with nothing started.
 */
export function setup(): void {
  for (const name of CACHED) process.stdout.write(`component ${name}: ${cachedFolder(name)}\n`);
  for (const component of COMPONENTS) {
    process.stdout.write(`component ${component.name}: ${locate(component) ?? 'MISSING'}\n`);
  }
  const missing = COMPONENTS.filter((component) => locate(component) === undefined);
  if (missing.length === 0) return;
  const names = missing.map(({ name, purpose }) => `${name} (${purpose})`);
  const packages = [...new Set(missing.flatMap(({ debianPackage }) => debianPackage ?? []))];
  throw new Error(`real components are missing: ${names.join(', ')}; apt-get install ${packages.join(' ')}`);
}

function locate({ name, path, debianPackage }: Component): string | undefined {
  const cached = CACHED.find((candidate) => candidate === name);
  if (debianPackage === undefined && cached !== undefined) {
    const built = resolve(cachedFolder(cached), name);
    return isExecutable(built) ? built : undefined;
  }
  const searched = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/sbin'];
  const candidates = path === undefined ? searched.map((folder) => resolve(folder, name)) : [path];
  return candidates.find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
