import type { z } from 'zod';
import type { Secret } from '../core/secret.ts';
import type { ProviderSettings } from '../identity/kind.ts';
import type { RevocationRecord } from '../revocation/revocation-record.ts';
import type { ListenAddress } from '../schema/scalars.ts';
import type { TracingSettings } from '../tracing/tracing.ts';
import type { sections } from './sections.ts';

export type { ListenAddress } from '../schema/scalars.ts';

/**
 * A section as the program uses it: read-only, with secrets in place of where they are read from, and the certificates or keys
 * themselves in place of their files: `caPem` for `caFile`.
 */
type Resolved<Value> =
  Value extends z.$brand<'secret'>
    ? Secret
    : Value extends z.$brand<'value'>
      ? string
      : Value extends readonly (infer Item)[]
        ? readonly Resolved<Item>[]
        : Value extends object
          ? {
              readonly [Key in keyof Value as Key extends `${infer Name}File`
                ? `${Name}Pem`
                : Key]: Key extends 'keyFile' ? Secret : Resolved<Exclude<Value[Key], undefined>>;
            }
          : Value;

type Section<Name extends keyof typeof sections> = Resolved<z.infer<(typeof sections)[Name]>>;

/** The configuration, everything but the records of the directory. */
export interface Settings extends Sections {
  readonly revocations: readonly RevocationRecord[];
  readonly identityProviders: readonly ProviderSettings[];
  readonly backend: BackendSettings;
  readonly containerCredentials: ContainerCredentialsSettings;
  /** From the variables of OpenTelemetry; `undefined` while no spans are exported. */
  readonly tracing: TracingSettings | undefined;
}

/** `containerCredentials`. */
export interface ContainerCredentialsSettings {
  /** Absent: the listener is off. */
  readonly listen?: ListenAddress;
  /** JSON text that is valid as the session policy of a call. */
  readonly scopeDownPolicy?: string;
}

type Backend = Section<'backend'>;

/** `backend`, with what its profile says. */
type BackendSettings = Backend & Required<Pick<Backend, 'trailers' | 'supports'>>;

type ReadElsewhere = 'revocations' | 'containerCredentials' | 'backend';
type Sections = { readonly [Name in Exclude<keyof typeof sections, ReadElsewhere>]: Section<Name> };
