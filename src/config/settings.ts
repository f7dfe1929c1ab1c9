import type { Secret } from '../core/secret.ts';
import type { Enforcement } from '../directory/records.ts';
import type { RevocationRecord } from '../directory/revocation-record.ts';
import type { CustomTokenProviderSettings } from '../identity/custom-token/settings.ts';
import type { KubernetesProviderSettings } from '../identity/kubernetes/settings.ts';
import type { OidcProviderSettings } from '../identity/oidc/settings.ts';
import type { SamlProviderSettings } from '../identity/saml/settings.ts';

/** Where a listener binds. */
export interface ListenAddress {
  /** An IP address without brackets, or a host name. */
  readonly host: string;
  /** 0 to 65535; 0 lets the system choose. */
  readonly port: number;
}

/** A range of IP addresses. */
export interface AddressRange {
  readonly address: string;
  /** 0 to 32 for IPv4, 0 to 128 for IPv6. */
  readonly prefixBits: number;
}

/** Bounds of the S3 and STS listener. */
interface ServerLimits {
  readonly maxHeaderBytes: number;
  readonly headersTimeoutSeconds: number;
  readonly idleTimeoutSeconds: number;
  readonly maxConnections: number;
  /** Authenticated requests being answered at once. */
  readonly maxInFlight: number;
  /** Requests being read or answered whose signature has not been verified. */
  readonly maxUnauthenticated: number;
  /** Bytes that all bodies and answers buffered whole may take together. */
  readonly maxBufferedBytes: number;
  /** 0: not limited, the only value of this version. */
  readonly requestsPerSecondPerClient: number;
}

/** The listener that clients talk to. */
export interface ServerSettings {
  readonly listen: ListenAddress;
  readonly limits: ServerLimits;
  /** Lower-case host names whose subdomains are buckets. */
  readonly virtualHosts: readonly string[];
  /** Peers whose `X-Forwarded-*` headers are believed. */
  readonly trustedProxies: readonly AddressRange[];
}

/** The S3-compatible store. */
export interface BackendSettings {
  /** Scheme, host and port, without a final slash; for example `http://127.0.0.1:9001`. */
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: Secret };
  /** How checksum trailers of uploads reach the store: in chunks of the sidecar's own, or verified here and left out. */
  readonly trailers: 'reframe' | 'decode';
  /**
   * Optional store features (`backend.supports`). Operations and conditions that need one are refused without it, because
   * a store that lacks it would do something else, or ignore the condition.
   */
  readonly supports: readonly (
    | 'annotations'
    | 'objectEncryption'
    | 'conditionalBatchDelete'
    | 'conditionalComplete'
    | 'conditionalCopy'
    | 'conditionalDelete'
    | 'sizeAndTimeConditions'
  )[];
  readonly unknownAccessKeys: 'reject';
  readonly anonymous: 'reject';
  readonly timeouts: {
    readonly connectSeconds: number;
    readonly headersSeconds: number;
    readonly idleSeconds: number;
  };
}

/** The account that every ARN carries. */
export interface AccountSettings {
  /** Twelve digits. */
  readonly id: string;
  readonly partition: 'aws' | 'aws-cn' | 'aws-us-gov';
  readonly region: string;
  /** Regions that signatures may name; empty allows every region. */
  readonly allowedRegions: readonly string[];
  /** Regions in which STS refuses signed requests. */
  readonly disabledRegions: readonly string[];
}

/** How decisions are enforced. */
export interface AuthorizationSettings {
  /** For every caller whose role does not set its own. */
  readonly enforcement: Enforcement;
  /** What ListBuckets shows to callers who may not list all buckets: those they may list, or an error. */
  readonly listBuckets: 'filtered' | 'strict';
}

/** The keys of session tokens. */
export interface TokenSettings {
  /** Id of the key that seals; all keys open. */
  readonly sealWith: string;
  /** Each secret is 32 bytes in base64. */
  readonly keys: readonly { readonly id: string; readonly secret: Secret }[];
}

/** The listener on which operators change things while the sidecar runs. */
export interface ControlSettings {
  /** A loopback address. */
  readonly listen: ListenAddress;
  /** The bearer token that requests must carry; without one the listener is off. */
  readonly token?: Secret;
}

/** The Redis that all replicas share. */
export interface RedisSettings {
  /** With the password, if there is one. */
  readonly url: Secret;
  /** Certificates of private authorities, PEM, trusted in addition to the public ones. */
  readonly caPem?: string;
}

/** Where requests keep what they have to know about each other. */
export interface StateSettings {
  /** Without it, the state is this process's alone. */
  readonly redis?: RedisSettings;
  /** How long the last known revocations are used while the shared state cannot be reached. */
  readonly maxStalenessSeconds: number;
}

/** What the log shows. */
export interface LogSettings {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** Whether there is one line per request. */
  readonly requests: boolean;
  /** How object keys are shown. */
  readonly objectKeys: 'full' | 'hash' | 'off';
}

/** How identity providers are reached. */
export interface OutboundSettings {
  /** Certificates of private authorities, PEM, trusted in addition to the public ones. */
  readonly caPem?: string;
  /** Origins that may be asked over plain http. */
  readonly allowHttp: readonly string[];
  /** For one request as a whole. */
  readonly timeoutSeconds: number;
}

/** An identity provider whose signed tokens name their issuer. */
export type IssuerSettings = OidcProviderSettings | KubernetesProviderSettings;

/** One identity provider, of any kind this version has. */
export type IdentityProviderSettings = IssuerSettings | SamlProviderSettings | CustomTokenProviderSettings;

/** Whether a provider is one of those whose tokens name their issuer. */
export function hasIssuer(provider: IdentityProviderSettings): provider is IssuerSettings {
  return provider.kind === 'oidc' || provider.kind === 'kubernetes';
}

/** The configuration, everything but the records of the directory. */
export interface Settings {
  readonly server: ServerSettings;
  readonly admin: { readonly listen: ListenAddress };
  readonly control: ControlSettings;
  readonly backend: BackendSettings;
  readonly account: AccountSettings;
  readonly tokens: TokenSettings;
  readonly state: StateSettings;
  readonly revocations: readonly RevocationRecord[];
  readonly authorization: AuthorizationSettings;
  readonly outbound: OutboundSettings;
  readonly log: LogSettings;
  readonly identityProviders: readonly IdentityProviderSettings[];
}
