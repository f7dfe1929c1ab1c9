import { flatCopy } from '../core/bytes.ts';
import type { WaitingClient } from '../core/client-gone.ts';
import { isMapping, type Mapping } from '../core/mapping.ts';
import { type Injection, type InjectionPlan, injectRole, planInjection } from './inject.ts';
import { ObjectError, readAnnotations, readPod } from './pod.ts';
import type { InjectorSettings } from './settings.ts';

/** An AdmissionReview (admission.k8s.io/v1) that cannot be read. */
export class ReviewError extends Error {
  override readonly name = 'ReviewError';
}

/**
 * Reads a service account, as the API server gives it.
 * @param client when it has left, an account that is not being read yet is not read
 */
export type ReadServiceAccount = (namespace: string, name: string, client: WaitingClient) => Promise<unknown>;

/** What is kept of a review until its answer: some kilobytes, whatever its size. */
export interface Subject {
  readonly uid: string;
  readonly namespace: string;
  /** The name of the pod, or the beginning of it that a name is made from. */
  readonly pod: string;
  readonly serviceAccount: string;
  /** From the pod's own annotation, at most {@link maxArnUnits} and one more. */
  readonly roleArn: string | undefined;
  readonly plan: InjectionPlan;
}

/** What was decided about a pod. */
export interface Verdict {
  readonly namespace: string;
  /** The name of the pod, or the beginning of it that a name is made from. */
  readonly pod: string;
  readonly serviceAccount: string | undefined;
  /** `undefined` for a pod that asks for no role. */
  readonly roleArn: string | undefined;
  /** Why the pod is refused. */
  readonly refusal: string | undefined;
  readonly injection: Injection | undefined;
}

/** A verdict with the document that tells the API server. */
export interface Reviewed {
  readonly verdict: Verdict;
  readonly answer: object;
}

const ownAnnotation = 'sts-sidecar/role-arn';
const eksAnnotation = 'eks.amazonaws.com/role-arn';

/** Namespaces of the cluster itself: whatever a pod there is annotated with, nothing is changed. */
const exemptNamespaces: ReadonlySet<string> = new Set(['kube-system', 'kube-public', 'kube-node-lease']);

/**
 * Reads an AdmissionReview about a new pod.
 * @throws ReviewError for anything else
 */
export function readReview(source: unknown, settings: InjectorSettings): Subject {
  const { uid, namespace, object } = readRequest(source);
  const pod = orReviewError(() => readPod(object));
  return {
    uid,
    namespace,
    pod: nameOf(object),
    serviceAccount: pod.serviceAccount,
    roleArn: roleIn(pod.annotations, settings),
    plan: planInjection(pod, settings),
  };
}

/**
 * Decides about a pod.
 * @throws ReviewError for a service account that cannot be understood
 * @throws what `readServiceAccount` throws; the failure policy of the webhook then decides
 */
export async function decideReview(
  { uid, plan, ...subject }: Subject,
  settings: InjectorSettings,
  readServiceAccount: (namespace: string, name: string) => Promise<unknown>,
): Promise<Reviewed> {
  const { namespace, pod, serviceAccount } = subject;
  const known = { namespace, pod, serviceAccount };
  if (exemptNamespaces.has(namespace)) return answered(uid, { ...known, ...nothing });
  const roleArn =
    subject.roleArn ?? roleOfAccount(await readServiceAccount(namespace, serviceAccount), settings);
  if (roleArn === undefined) return answered(uid, { ...known, ...nothing });
  const refusal = refusalOf(roleArn, settings);
  const injection = refusal === undefined ? injectRole(plan, roleArn, settings) : undefined;
  return answered(uid, { ...known, roleArn, refusal, injection });
}

function roleOfAccount(account: unknown, settings: InjectorSettings): string | undefined {
  return roleIn(
    orReviewError(() => readAnnotations(account)),
    settings,
  );
}

const nothing = { roleArn: undefined, refusal: undefined, injection: undefined };

function roleIn(annotations: ReadonlyMap<string, string>, settings: InjectorSettings): string | undefined {
  const own = annotations.get(ownAnnotation);
  const arn = own ?? (settings.eksAnnotation ? annotations.get(eksAnnotation) : undefined);
  // One that is too long stays so, and is refused.
  return arn === undefined ? undefined : flatCopy(arn.slice(0, maxArnUnits + 1));
}

/** AWS STS API Reference, AssumeRole, RoleArn. */
const maxArnUnits = 2048;

/** A pod that named a role and started without it would fail later, and in a way that says less. */
function refusalOf(roleArn: string, { roles }: InjectorSettings): string | undefined {
  const shown = JSON.stringify(roleArn.slice(0, 256));
  const isArn = /^arn:[a-z-]+:iam:[a-z0-9-]*:(?:\d{12})?:role\/[\w+=,.@/-]{1,576}$/.test(roleArn);
  if (!isArn || roleArn.length > maxArnUnits) return `sts-sidecar: ${shown} is not the ARN of a role`;
  if (roles?.includes(roleArn) === false) return `sts-sidecar: the role ${shown} is not configured`;
  return undefined;
}

interface ReviewRequest {
  readonly uid: string;
  readonly namespace: string;
  readonly object: Mapping;
}

function readRequest(source: unknown): ReviewRequest {
  if (
    !isMapping(source) ||
    source['apiVersion'] !== 'admission.k8s.io/v1' ||
    source['kind'] !== 'AdmissionReview'
  )
    throw new ReviewError('it is no AdmissionReview of admission.k8s.io/v1');
  const request = source['request'];
  if (!isMapping(request)) throw new ReviewError('it has no request');
  const { uid, namespace, object, operation, kind } = request;
  const isNewPod =
    operation === 'CREATE' && isMapping(kind) && kind['group'] === '' && kind['kind'] === 'Pod';
  if (!isNewPod || !isMapping(object)) throw new ReviewError('it is about something else than a new pod');
  if (typeof uid !== 'string' || !/^[\w-]{1,64}$/.test(uid)) throw new ReviewError('it has no uid');
  if (typeof namespace !== 'string' || !isLabel(namespace)) throw new ReviewError('it has no namespace');
  return { uid, namespace, object };
}

/** RFC 1123, as Kubernetes names namespaces. */
function isLabel(name: string): boolean {
  return /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(name);
}

function nameOf({ metadata }: Mapping): string {
  const { name, generateName } = isMapping(metadata) ? metadata : {};
  const shown = name ?? generateName;
  return typeof shown === 'string' ? flatCopy(shown.slice(0, 253)) : '';
}

function orReviewError<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ObjectError) throw new ReviewError(error.message);
    throw error;
  }
}

function answered(uid: string, verdict: Verdict): Reviewed {
  const { refusal, injection } = verdict;
  const { patch = [], warnings = [] } = injection ?? {};
  const response = {
    uid,
    allowed: refusal === undefined,
    ...(refusal === undefined ? {} : { status: { code: 403, message: refusal } }),
    ...(patch.length === 0
      ? {}
      : { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') }),
    ...(warnings.length === 0 ? {} : { warnings }),
  };
  return { verdict, answer: { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response } };
}
