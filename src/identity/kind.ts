import type { z } from 'zod';
import { formatArn } from '../core/arn.ts';
import { withoutScheme } from '../core/issuer.ts';
import type { Secret } from '../core/secret.ts';
import type { ValueRule, ValueSource } from '../schema/value-source.ts';
import type { UsedNames } from '../state/shared-state.ts';
import type { IdentityTools } from './ask-provider.ts';
import type { IdentityProvider, Proofs } from './provider.ts';

/**
 * A kind of identity providers: all that the program knows about it. Each folder of `identity` exports one, and `kinds.ts` lists
 * them; nothing else names a kind. The members that take settings are methods, so that a list can hold kinds of different
 * settings: `kinds.ts` gives each kind only what it has read itself.
 */
export interface IdentityKind<S extends ProviderSettings = ProviderSettings> {
  /** Its name in the configuration. */
  readonly kind: S['kind'];
  /** The settings as they are written; their documentation and JSON Schema are generated from it. */
  readonly schema: z.ZodObject;
  /** Condition keys of its users that have the same names for every provider. */
  readonly conditionKeys?: readonly string[];
  /** Reads and checks the settings of one provider. `undefined` when they cannot be used. */
  read(reader: ProviderReader): S | undefined;
  describe(settings: S): ProviderFacts;
  create(settings: S, tools: ProviderTools): IdentityProvider;
}

/** The account that providers belong to. */
export interface AccountName {
  readonly id: string;
  readonly partition: string;
}

/** The settings of a provider, as far as every kind has them. */
export interface ProviderSettings {
  readonly kind: string;
  /** Unique among all providers. */
  readonly name: string;
}

/** Keys and indexes that lead from a provider to one of its settings. */
export type SettingPath = readonly (string | number)[];

/** The configuration of one provider as it is read. Reports what is wrong at its place. */
export interface ProviderReader {
  /** `undefined` when something does not fit the schema. */
  read<T>(schema: z.ZodType<T>): T | undefined;
  problem(path: SettingPath, message: string): void;
  /** Reports at the key instead of its value. */
  problemAtKey(path: SettingPath, message: string): void;
  /** The text of the file that a setting names. Reports why it cannot be read and returns `undefined`. */
  readFile(path: SettingPath, name: string, maxBytes: number): string | undefined;
  /** The secret that a setting refers to. Reports why it cannot be read and returns `undefined`. */
  readSecret(path: SettingPath, source: ValueSource, rule: ValueRule): Secret | undefined;
}

/** What the settings of a provider say about it. */
export interface ProviderFacts {
  /** The form of the proofs that it judges. */
  readonly form: keyof Proofs;
  /** How policies and sessions name it. A provider without it is known by its role alone. */
  readonly principal?: {
    readonly issuer: string;
    arnIn(account: AccountName): string;
    /** For `policy simulate`: the condition keys that every proof has. */
    keysIn?(account: AccountName): HolderKeys;
  };
  /** For signed tokens that name their issuer. */
  readonly tokens?: TokenFacts;
  /** The URLs it is reached at, with their settings. */
  readonly urls: readonly { readonly path: SettingPath; readonly url: string }[];
  /** The generated role of all its users, as in MinIO. Without it, they assume roles of the directory. */
  readonly role?: OwnRole | undefined;
}

/** What tokens are accepted for. One issuer and audience belong to one provider. */
export interface TokenFacts {
  readonly issuer: string;
  readonly audiences: readonly string[];
  /** The setting that lists the audiences. */
  readonly setting: string;
}

/** The generated role of a provider. */
export interface OwnRole {
  readonly mode: 'role-policy' | 'claim' | 'custom-token';
  /** The name in the role's ARN. */
  readonly name: string;
  /** Names of managed policies. */
  readonly policies: readonly string[];
  /** What tells the provider from others of its kind and name. The role's unique id is derived from it. */
  readonly source: readonly string[];
}

/** The condition keys of a holder whose proof is not known. */
export interface HolderKeys {
  /** Those that follow from the settings. */
  readonly known: ReadonlyMap<string, readonly string[]>;
  /** Those whose values only the proof tells. They are never guessed. */
  readonly untold: readonly string[];
}

/** What providers work with. */
export interface ProviderTools extends IdentityTools {
  readonly account: AccountName;
  /** Which assertions were used. */
  readonly used: UsedNames;
}

/** The ARN of a provider (IAM user guide, "IAM identifiers"). */
export function providerArn(resource: string): (account: AccountName) => string {
  return ({ id, partition }) => formatArn({ partition, service: 'iam', region: '', account: id, resource });
}

/** What providers have in common whose tokens name their issuer. Sessions read the issuer back from such an ARN. */
export function issuerFacts(tokens: TokenFacts): Omit<ProviderFacts, 'role'> {
  const { issuer } = tokens;
  const arnIn = providerArn(`oidc-provider/${withoutScheme(issuer)}`);
  return {
    form: 'webIdentity',
    principal: { issuer, arnIn },
    tokens,
    urls: [{ path: ['issuer'], url: issuer }],
  };
}
