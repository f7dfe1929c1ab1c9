/** The parts that readiness is made of: a closed list, and the values of a metric's label. */
export type ComponentName =
  | 'configuration'
  | 'listeners'
  | 'store'
  | 'store_credentials'
  | 'redis'
  | 'identity_providers'
  | 'audit'
  | 'tls';

/** How one part is. */
export interface PartState {
  readonly component: ComponentName;
  /** The configured name, of a component that there are several of. */
  readonly member?: string;
  /** Why it does not work, without a secret or an address; `undefined` while it does. */
  readonly failure: string | undefined;
  /** True when the sidecar is not ready while this part fails. */
  readonly isRequired: boolean;
}

/** True while every part that is required works. */
export function isReady(parts: readonly PartState[]): boolean {
  return !parts.some(({ failure, isRequired }) => failure !== undefined && isRequired);
}

/** For each component whether all of it works. */
export function componentsOf(parts: readonly PartState[]): ReadonlyMap<ComponentName, boolean> {
  const components = new Map<ComponentName, boolean>();
  for (const { component, failure } of parts)
    components.set(component, failure === undefined && (components.get(component) ?? true));
  return components;
}

/** One line for each part, and one for all, as the `/readyz?verbose` of Kubernetes' API server has them. */
export function renderParts(parts: readonly PartState[]): string {
  const lines = parts.map(lineOf);
  return `${[...lines, `readyz check ${isReady(parts) ? 'passed' : 'failed'}`].join('\n')}\n`;
}

function lineOf({ component, member, failure, isRequired }: PartState): string {
  const name = member === undefined ? component : `${component}/${member}`;
  if (failure === undefined) return `[+]${name} ok`;
  return `[-]${name} failed: ${failure}${isRequired ? '' : ' (not required)'}`;
}

/** True when the target asks for every part: `?verbose`, as Kubernetes reads it, with any value. */
export function isVerbose(target: string): boolean {
  const query = target.indexOf('?');
  return query >= 0 && new URLSearchParams(target.slice(query)).has('verbose');
}
