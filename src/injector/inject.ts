import { posix } from 'node:path';
import type { Container, Mount, Pod } from './pod.ts';
import type { InjectorSettings } from './settings.ts';

/** One operation of a JSON patch (RFC 6902). */
export interface PatchOperation {
  readonly op: 'add';
  readonly path: string;
  readonly value: unknown;
}

/** What is done to a pod. */
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

/** Adds the projected token and the variables of a role to a pod. */
export function injectRole(pod: Pod, roleArn: string, settings: InjectorSettings): Injection {
  if (hasOtherVolume(pod)) return untouched;
  const skipped = new Set((pod.annotations.get(skipAnnotation) ?? '').split(',').map((name) => name.trim()));
  const warnings: string[] = [];
  const changed = pod.containers.filter((container) => {
    if (skipped.has(container.name)) return false;
    const conflict = conflictOf(container);
    if (conflict === undefined) return true;
    const name = container.name.slice(0, maxNameUnits);
    warnings.push(`sts-sidecar: container ${name} is left as it is, because it ${conflict}`);
    return false;
  });
  if (changed.length === 0) return { patch: [], warnings, containers: [] };
  const variables = variablesOf(roleArn, settings);
  const patch = [
    ...addVolume(pod, settings),
    ...changed.flatMap((container) => addToContainer(container, variables)),
  ];
  return { patch, warnings, containers: changed.map(({ name }) => name) };
}

/** RFC 1123. A pod is checked for valid names only after it was changed. */
const maxNameUnits = 63;

const untouched: Injection = {
  patch: [],
  warnings: [`sts-sidecar: the pod is left as it is, because its volume ${volumeName} is another one`],
  containers: [],
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

function addVolume(
  { volumes }: Pod,
  { audience, tokenSeconds }: InjectorSettings,
): readonly PatchOperation[] {
  // Another webhook may have made the API server ask again.
  if (volumes?.has(volumeName) === true) return [];
  const serviceAccountToken = { path: 'token', audience, expirationSeconds: tokenSeconds };
  const volume = { name: volumeName, projected: { sources: [{ serviceAccountToken }] } };
  return append('/spec/volumes', volumes && [...volumes.keys()], [volume]);
}

function addToContainer(
  { pointer, variables: own, mounts }: Container,
  variables: readonly Variable[],
): readonly PatchOperation[] {
  // What the container says about endpoints and regions counts.
  const added = variables.filter(([name]) => own?.includes(name) !== true);
  const mount = { name: volumeName, mountPath, readOnly: true };
  const isMounted = mounts?.some(({ volume }) => volume === volumeName) === true;
  return [
    ...append(
      `${pointer}/env`,
      own,
      added.map(([name, value]) => ({ name, value })),
    ),
    ...append(`${pointer}/volumeMounts`, mounts, isMounted ? [] : [mount]),
  ];
}

/** Operations that append to a list, or make it. */
function append(
  path: string,
  existing: readonly unknown[] | undefined,
  values: readonly unknown[],
): readonly PatchOperation[] {
  if (values.length === 0) return [];
  if (existing === undefined) return [{ op: 'add', path, value: values }];
  return values.map((value) => ({ op: 'add', path: `${path}/-`, value }));
}
