import type { ListenAddress } from '../schema/scalars.ts';

/** What the injector is configured with. */
export interface InjectorSettings {
  readonly listen: ListenAddress;
  /** Certificate chain and key of the listener, PEM. */
  readonly tls: { readonly certPem: string; readonly keyPem: string };
  /** How the SDKs of a pod get credentials. */
  readonly route: 'web-identity' | 'container';
  /** The URL of S3, and of STS for the route `web-identity`. */
  readonly endpoint: string;
  /** The URL of the container credentials endpoint in a pod, without a path. */
  readonly containerEndpoint: string;
  readonly region: string;
  /** Of the projected token. */
  readonly audience: string;
  /** How long a projected token is valid, in seconds; the kubelet renews it before. */
  readonly tokenSeconds: number;
  /** True if `eks.amazonaws.com/role-arn` counts where the annotation of its own is absent. */
  readonly eksAnnotation: boolean;
  /** The ARNs that pods may name; `undefined` when any may be named. */
  readonly roles: readonly string[] | undefined;
  /** Where service accounts are read, and the files with the authority and the token for it. */
  readonly apiServer: { readonly url: string; readonly caFile: string; readonly tokenFile: string };
}
