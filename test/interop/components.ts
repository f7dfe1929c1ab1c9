import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** One real program that the interop suite starts. */
interface Component {
  /** What it is for, as printed when it is missing. */
  readonly purpose: string;
  /** Debian's package that holds it. */
  readonly debianPackage: string;
  /** The only place it may be found at; without it every folder of `PATH` counts. */
  readonly path?: string;
}

/** Every program the interop suite needs. The AWS CLI is Debian's own, not whichever happens to be first in `PATH`. */
const COMPONENTS = {
  'ceph-mon': { purpose: 'monitor of the Ceph store', debianPackage: 'ceph-mon' },
  monmaptool: { purpose: 'names the monitor and its port', debianPackage: 'ceph-base' },
  'ceph-osd': { purpose: 'object daemon of the Ceph store', debianPackage: 'ceph-osd' },
  radosgw: { purpose: 'S3 gateway of the Ceph store', debianPackage: 'radosgw' },
  'radosgw-admin': { purpose: 'creates the store user', debianPackage: 'radosgw' },
  ceph: { purpose: 'registers the object daemon', debianPackage: 'ceph-common' },
  setpriv: { purpose: 'ends the daemons with the tests', debianPackage: 'util-linux' },
  aws: { purpose: 'AWS CLI', debianPackage: 'awscli', path: '/usr/bin/aws' },
} as const satisfies Record<string, Component>;

/** The name of a program that the interop suite needs. */
export type ComponentName = keyof typeof COMPONENTS;

/** The absolute path of the program, or undefined where it is not installed. */
export function findComponent(name: ComponentName): string | undefined {
  const component: Component = COMPONENTS[name];
  if (component.path !== undefined) return isExecutable(component.path) ? component.path : undefined;
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return [...folders, '/usr/bin', '/usr/sbin']
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

/** The absolute path of the program; throws an error that names its Debian package where it is not installed. */
export function requireComponent(name: ComponentName): string {
  const path = findComponent(name);
  if (path === undefined) throw new Error(`real components are missing: ${describe(name)}`);
  return path;
}

/** The programs that are not installed, in table order. */
export function missingComponents(): readonly ComponentName[] {
  return (Object.keys(COMPONENTS) as ComponentName[]).filter((name) => findComponent(name) === undefined);
}

/**
 * vitest's global set-up of the interop suite: prints where each component was found and which ones are missing, and
 * fails the whole run when one is, so that it can never pass with nothing started.
 */
export function setup(): void {
  for (const name of Object.keys(COMPONENTS) as ComponentName[]) {
    process.stdout.write(`component ${name}: ${findComponent(name) ?? 'MISSING'}\n`);
  }
  const missing = missingComponents();
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((name) => COMPONENTS[name].debianPackage))];
  throw new Error(
    `real components are missing: ${missing.map(describe).join('; ')}; apt-get install ${packages.join(' ')}`,
  );
}

function describe(name: ComponentName): string {
  const { purpose, debianPackage } = COMPONENTS[name];
  return `${name} (${purpose}, Debian package ${debianPackage})`;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
