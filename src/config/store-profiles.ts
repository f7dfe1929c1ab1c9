/* What is known of the stores: the defaults that `backend.profile` gives to other settings of `backend`. */

import type { StoreFeature } from '../core/store-feature.ts';

/** How checksum trailers of uploads reach a store. */
export type Trailers = 'reframe' | 'decode';

/** One kind of store. */
export interface StoreProfile {
  /** With the version from which on the defaults hold. */
  readonly product: string;
  /**
   * True when the interop tests ask the store for every fact, and docs/compatibility.md has a section of that product. Without them a
   * store gets only what every store takes: no trailers, and no condition that one might ignore.
   */
  readonly isTested: boolean;
  readonly trailers: Trailers;
  readonly supports: readonly StoreFeature[];
  /** What this store does with checksum trailers where it must not be sent any. */
  readonly trailerFault?: string;
  /** What an operator should know. */
  readonly note: string;
}

/** The names of the profiles. */
export const storeProfileNames = [
  'minio',
  'ceph-rgw',
  'versitygw',
  'seaweedfs',
  'garage',
  'rustfs',
  'swift',
  'other',
] as const;

/** A row of the list above. */
export type StoreProfileName = (typeof storeProfileNames)[number];

/** What is known, by profile. */
export const storeProfiles: Readonly<Record<StoreProfileName, StoreProfile>> = {
  minio: {
    product: 'MinIO 2026-02',
    isTested: true,
    trailers: 'reframe',
    supports: ['conditionalComplete'],
    note: 'older versions were not tried',
  },
  'ceph-rgw': {
    product: 'Ceph RGW 16',
    isTested: true,
    trailers: 'decode',
    supports: [],
    trailerFault: 'Ceph RGW 16 refuses the upload',
    note: 'RGW 18 is said to take trailers: set `trailers: reframe`',
  },
  versitygw: {
    product: 'versitygw 1.8',
    isTested: true,
    trailers: 'reframe',
    supports: ['conditionalComplete', 'conditionalDelete', 'sizeAndTimeConditions'],
    note: 'with attributes in the file system; older versions were not tried',
  },
  seaweedfs: {
    product: 'SeaweedFS',
    isTested: false,
    trailers: 'decode',
    supports: [],
    trailerFault: 'SeaweedFS of before 2025 stores the framing as data',
    note: 'is said to take trailers since 2025',
  },
  garage: {
    product: 'Garage',
    isTested: false,
    trailers: 'decode',
    supports: [],
    note: 'is said to take trailers; `region` must be its `s3_region`',
  },
  rustfs: { product: 'RustFS', isTested: false, trailers: 'decode', supports: [], note: '' },
  swift: {
    product: 'OpenStack Swift (s3api)',
    isTested: false,
    trailers: 'decode',
    supports: [],
    trailerFault: 'Swift refuses the upload',
    note: '',
  },
  other: {
    product: 'any other store',
    isTested: false,
    trailers: 'reframe',
    supports: [],
    note: 'the default; if uploads over TLS fail or come out longer, set `trailers: decode`',
  },
};

/** What an operator has set for a store; absent settings are those of the profile. */
interface StoreSettings {
  readonly profile: StoreProfileName;
  readonly trailers?: Trailers | undefined;
  readonly supports?: readonly StoreFeature[] | undefined;
}

/** The settings in force: those that are set come before those of the profile. */
export function withProfile({ profile, trailers, supports }: StoreSettings): {
  readonly trailers: Trailers;
  readonly supports: readonly StoreFeature[];
} {
  const defaults = storeProfiles[profile];
  return { trailers: trailers ?? defaults.trailers, supports: supports ?? defaults.supports };
}

/** Where a setting says of a store what its profile denies. */
export interface Contradiction {
  readonly setting: 'trailers' | 'supports';
  /** The place in a list. */
  readonly index?: number;
  readonly message: string;
}

/** Settings that contradict the profile, so that a store would spoil an upload, or ignore a condition. */
export function contradictions({
  profile,
  trailers,
  supports = [],
}: StoreSettings): readonly Contradiction[] {
  const { product, isTested, supports: has, trailerFault } = storeProfiles[profile];
  const found: Contradiction[] = [];
  if (trailers === 'reframe' && trailerFault !== undefined)
    found.push({
      setting: 'trailers',
      message: `contradicts profile ${profile}: sent a checksum trailer, ${trailerFault}`,
    });
  for (const [index, feature] of supports.entries())
    if (isTested && !has.includes(feature))
      found.push({
        setting: 'supports',
        index,
        message: `contradicts profile ${profile}: ${product} does not have ${feature}, and ignores or refuses what needs it`,
      });
  return found;
}
