import { isMapping, type Mapping } from '../core/mapping.ts';

/** A container of a pod, as far as it matters here. */
export interface Container {
  readonly name: string;
  /** Where it stands in the pod, as a JSON pointer. */
  readonly pointer: string;
  /** Names of its variables; `undefined` without a list of them. */
  readonly variables: readonly string[] | undefined;
  /** What it mounts; `undefined` without a list. */
  readonly mounts: readonly Mount[] | undefined;
}

/** A volume in a container. */
export interface Mount {
  readonly volume: string;
  readonly path: string;
}

/** A pod that is about to be created, as far as it matters here. */
export interface Pod {
  readonly annotations: ReadonlyMap<string, string>;
  readonly serviceAccount: string;
  /** Its volumes by name, as they are written; `undefined` without a list of them. */
  readonly volumes: ReadonlyMap<string, Mapping> | undefined;
  /** Init containers first. */
  readonly containers: readonly Container[];
}

/** An object of Kubernetes that cannot be read. */
export class ObjectError extends Error {
  override readonly name = 'ObjectError';
}

/** Reads a pod (core/v1). @throws ObjectError */
export function readPod(source: unknown): Pod {
  const pod = mapping(source, 'the pod');
  const spec = mapping(pod['spec'], 'spec');
  return {
    annotations: readAnnotations(pod),
    serviceAccount: readServiceAccountName(spec['serviceAccountName']),
    volumes: readVolumes(spec['volumes']),
    containers: readAllContainers(spec),
  };
}

/** Each would get five variables: more make a patch of many times the pod's size. */
const maxContainers = 128;

function readAllContainers(spec: Mapping): readonly Container[] {
  const lists = ['initContainers', 'containers'].map((list) => ({ list, source: spec[list] }));
  const count = lists.reduce((sum, { list, source }) => sum + listOf(source, `spec.${list}`).length, 0);
  if (count > maxContainers) throw new ObjectError(`the pod has more than ${maxContainers} containers`);
  return lists.flatMap(({ list, source }) => readContainers(source, list));
}

function readVolumes(source: unknown): ReadonlyMap<string, Mapping> | undefined {
  if (source === undefined || source === null) return undefined;
  const volumes = listOf(source, 'spec.volumes').map((one) => mapping(one, 'spec.volumes'));
  return new Map(volumes.map((volume) => [text(volume['name'], 'spec.volumes'), volume]));
}

/** The annotations of any object of Kubernetes. @throws ObjectError */
export function readAnnotations(source: unknown): ReadonlyMap<string, string> {
  const { annotations = {} } = mapping(mapping(source, 'the object')['metadata'], 'metadata');
  const entries = Object.entries(annotations === null ? {} : mapping(annotations, 'metadata.annotations'));
  return new Map(entries.map(([name, value]) => [name, text(value, 'metadata.annotations')]));
}

function readContainers(source: unknown, list: string): readonly Container[] {
  return listOf(source, `spec.${list}`).map((one, index) => {
    const container = mapping(one, `spec.${list}`);
    return {
      name: text(container['name'], `spec.${list}`),
      pointer: `/spec/${list}/${index}`,
      variables: namesIn(container['env'], `spec.${list}.env`),
      mounts: readMounts(container['volumeMounts'], `spec.${list}.volumeMounts`),
    };
  });
}

function readMounts(source: unknown, place: string): readonly Mount[] | undefined {
  if (source === undefined || source === null) return undefined;
  return listOf(source, place).map((one) => {
    const { name, mountPath } = mapping(one, place);
    return { volume: text(name, place), path: text(mountPath, place) };
  });
}

/** It becomes a part of a path. */
function readServiceAccountName(source: unknown): string {
  if (source === undefined || source === '') return 'default';
  const name = text(source, 'spec.serviceAccountName');
  // RFC 1123, as Kubernetes names service accounts.
  if (name.length <= 253 && /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/.test(name)) return name;
  throw new ObjectError('spec.serviceAccountName is no name');
}

function namesIn(source: unknown, place: string): readonly string[] | undefined {
  if (source === undefined || source === null) return undefined;
  return listOf(source, place).map((one) => text(mapping(one, place)['name'], place));
}

function listOf(source: unknown, place: string): readonly unknown[] {
  if (source === undefined || source === null) return [];
  if (!Array.isArray(source)) throw new ObjectError(`${place} is no list`);
  return source;
}

function mapping(source: unknown, place: string): Mapping {
  if (!isMapping(source)) throw new ObjectError(`${place} is no mapping`);
  return source;
}

function text(source: unknown, place: string): string {
  if (typeof source !== 'string') throw new ObjectError(`${place} holds something else than text`);
  return source;
}
