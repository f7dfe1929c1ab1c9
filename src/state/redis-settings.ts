import type { Secret } from '../core/secret.ts';

/** Where one node listens. */
export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

/** The Redis that holds the state of all replicas. It has one of `url`, `sentinels` and `cluster`. */
export interface RedisSettings {
  /** `redis://` or `rediss://`, with user, password and database number where there are any. */
  readonly url?: Secret;
  /** Sentinels, which know the master. */
  readonly sentinels?: readonly RedisNode[];
  /** What the Sentinels call it. */
  readonly masterName?: string;
  /** Database of the master. */
  readonly database?: number;
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: Secret;
  /** Some nodes of a Cluster, `redis://host:port` or `rediss://host:port`; they name the others. */
  readonly cluster?: readonly string[];
  /** A user of the ACL; with a URL, it takes the place of that in the URL. */
  readonly username?: string;
  readonly password?: Secret;
  /** True to speak TLS with the Sentinels and with the nodes that they name. URLs say it by their scheme. */
  readonly tls?: boolean;
  /** Certificates of private authorities, PEM, trusted in addition to the public ones. */
  readonly caPem?: string;
  /** The certificate that Redis asks for, PEM, and its key. */
  readonly certPem?: string;
  readonly keyPem?: Secret;
}
