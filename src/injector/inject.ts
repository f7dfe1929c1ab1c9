import { posix } from 'node:path';
import { flatCopy } from '../core/bytes.ts';
import type { Container, Mount, Pod } from './pod.ts';
import type { InjectorSettings } from './settings.ts';

/** One operation of a JSON patch (RFC 6902). */
export interface PatchOperation {
  readonly op: 'add';
  readonly path: string;
  readonly value: unknown;
}

/**
 * What is done to a pod, whichever role it gets. It has some kilobytes however large the pod is, which is not kept while its service
 * account is being read.
 */
export interface InjectionPlan {
  /** Where the volume is added: to a list, as a list, or nowhere because it is there. */
  readonly volume: Place;
  /** The containers that get the variables, at most 128. */
  readonly containers: readonly PlannedContainer[];
  /** For the person who creates the pod. */
  readonly warnings: readonly string[];
}

/** What a list needs: a further item, the whole list, or nothing. */
type Place = 'item' | 'list' | 'nothing';

interface PlannedContainer {
  /** At most {@link maxNameUnits} of it. */
  readonly name: string;
  readonly pointer: string;
  readonly env: Place;
  /** Variables that it sets itself, among those that it would get. */
  readonly ownVariables: readonly string[];
  readonly mount: Place;
}

/** What is done to a pod that gets a role. */
export interface Injection {
  /** Empty when nothing has to be added. */
  readonly patch: readonly PatchOperation[];
  /** For the person who creates the pod. */
  readonly warnings: readonly string[];
  /** Names of the containers that get the variables. */
  readonly containers: readonly string[];
}

// Names containers that are left as they are, with commas between.
const skipAnnotation = 'sts-sidecar/skip-containers';

const volumeName = 'sts-sidecar-token';
const mountPath = '/var/run/secrets/sts-sidecar';
const tokenFile = `${mountPath}/token`;

/**
 * Variables that decide where an SDK takes credentials from. A container that has one has an identity of its own: with ours beside
 * it, SDKs would choose differently between the two.
 */
const identityVariables: ReadonlySet<string> = new Set([
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_PROFILE',
  'AWS_SHARED_CREDENTIALS_FILE',
  'AWS_ROLE_ARN',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE',
]);

/** Finds out what a pod would get. Nothing of the pod is kept. */
export function planInjection(pod: Pod, settings: InjectorSettings): InjectionPlan {
  if (hasOtherVolume(pod)) return untouched;
  const skipped = new Set((pod.annotations.get(skipAnnotation) ?? '').split(',').map((name) => name.trim()));
  const given = variablesOf('', settings).map(([name]) => name);
  const warnings: string[] = [];
  const containers: PlannedContainer[] = [];
  for (const container of pod.containers) {
    if (skipped.has(container.name)) continue;
    const conflict = conflictOf(container);
    const name = flatCopy(container.name.slice(0, maxNameUnits));
    if (conflict === undefined) containers.push(planContainer(container, name, given));
    else warnings.push(`sts-sidecar: container ${name} is left as it is, because it ${conflict}`);
  }
  return { volume: placeIn(pod.volumes, pod.volumes?.has(volumeName) === true), containers, warnings };
}

function planContainer(
  { pointer, variables, mounts }: Container,
  name: string,
  given: readonly string[],
): PlannedContainer {
  // What the container says about endpoints and regions counts.
  const ownVariables = given.filter((variable) => variables?.includes(variable) === true);
  const isMounted = mounts?.some(({ volume }) => volume === volumeName) === true;
  return { name, pointer, env: placeIn(variables, false), ownVariables, mount: placeIn(mounts, isMounted) };
}

function placeIn(list: unknown, isThere: boolean): Place {
  if (isThere) return 'nothing';
  return list === undefined ? 'list' : 'item';
}

/** Adds the projected token and the variables of a role. */
export function injectRole(
  { volume, containers, warnings }: InjectionPlan,
  roleArn: string,
  settings: InjectorSettings,
): Injection {
  if (containers.length === 0) return { patch: [], warnings, containers: [] };
  const variables = variablesOf(roleArn, settings);
  const patch = [
    // Another webhook may have made the API server ask again, so that it is there.
    ...append('/spec/volumes', volume, [volumeOf(settings)]),
    ...containers.flatMap((container) => addToContainer(container, variables)),
  ];
  return { patch, warnings, containers: containers.map(({ name }) => name) };
}

/** RFC 1123. A pod is checked for valid names only after it was changed. */
const maxNameUnits = 63;

const untouched: InjectionPlan = {
  volume: 'nothing',
  containers: [],
  warnings: [`sts-sidecar: the pod is left as it is, because its volume ${volumeName} is another one`],
};

/** True when a volume of our name is no projected token. */
function hasOtherVolume({ volumes }: Pod): boolean {
  const volume = volumes?.get(volumeName);
  return volume !== undefined && volume['projected'] === undefined;
}

/** Why a container cannot be given a role. */
function conflictOf({ variables, mounts = [] }: Container): string | undefined {
  const variable = variables?.find((name) => identityVariables.has(name));
  if (variable !== undefined) return `sets ${variable}`;
  const isOurs = ({ volume, path }: Mount): boolean => volume === volumeName && path === mountPath;
  const others = mounts.filter((mount) => !isOurs(mount));
  if (others.some(({ volume }) => volume === volumeName)) return `mounts ${volumeName} somewhere else`;
  return others.some(({ path }) => overlaps(path)) ? `mounts something else at ${mountPath}` : undefined;
}

/** True for a place that would hide the token, or be hidden by it. In many images `/var/run` is `/run`. */
function overlaps(path: string): boolean {
  const place = posix.normalize(`${path.replace(/^\/run(?=\/|$)/, '/var/run')}/`);
  return place.startsWith(`${mountPath}/`) || `${mountPath}/`.startsWith(place);
}

type Variable = readonly [name: string, value: string];

function variablesOf(roleArn: string, settings: InjectorSettings): readonly Variable[] {
  const { route, endpoint, containerEndpoint, region } = settings;
  const identity: readonly Variable[] =
    route === 'web-identity'
      ? [
          ['AWS_ROLE_ARN', roleArn],
          ['AWS_WEB_IDENTITY_TOKEN_FILE', tokenFile],
          ['AWS_ENDPOINT_URL_STS', endpoint],
        ]
      : [
          [
            'AWS_CONTAINER_CREDENTIALS_FULL_URI',
            // Some SDKs read a plus sign as a space; the other characters of an ARN mean themselves.
            `${containerEndpoint}/v1/credentials?roleArn=${roleArn.replaceAll('+', '%2B')}`,
          ],
          ['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE', tokenFile],
        ];
  // boto3 reads the second one only, the other SDKs the first.
  return [
    ...identity,
    ['AWS_ENDPOINT_URL_S3', endpoint],
    ['AWS_REGION', region],
    ['AWS_DEFAULT_REGION', region],
  ];
}

function volumeOf({ audience, tokenSeconds }: InjectorSettings): object {
  const serviceAccountToken = { path: 'token', audience, expirationSeconds: tokenSeconds };
  return { name: volumeName, projected: { sources: [{ serviceAccountToken }] } };
}

function addToContainer(
  { pointer, env, ownVariables, mount }: PlannedContainer,
  variables: readonly Variable[],
): readonly PatchOperation[] {
  const added = variables.filter(([name]) => !ownVariables.includes(name));
  return [
    ...append(
      `${pointer}/env`,
      env,
      added.map(([name, value]) => ({ name, value })),
    ),
    ...append(`${pointer}/volumeMounts`, mount, [{ name: volumeName, mountPath, readOnly: true }]),
  ];
}

/** Operations that append to a list, or make it. */
function append(path: string, place: Place, values: readonly unknown[]): readonly PatchOperation[] {
  if (values.length === 0 || place === 'nothing') return [];
  if (place === 'list') return [{ op: 'add', path, value: values }];
  return values.map((value) => ({ op: 'add', path: `${path}/-`, value }));
}
