import { type StoreProfile, storeProfiles } from '../../../src/config/store-profiles.ts';
import { startRgw } from '../rgw/start-rgw.ts';
import type { RealStore } from './real-store.ts';
import { startMinio } from './start-minio.ts';
import { startVersitygw } from './start-versitygw.ts';

/**
 * A kind of store, and its profile: the suites prove what that says. `product` is the program and its version: what the pages say of it
 * holds for each way to set it up.
 */
export interface StoreKind extends Pick<StoreProfile, 'product' | 'trailers' | 'supports'> {
  readonly name: string;
  readonly start: () => Promise<RealStore>;
}

const { minio, versitygw, 'ceph-rgw': rgw } = storeProfiles;

/** Every store that the suites run on. */
export const storeKinds: readonly StoreKind[] = [
  { name: 'Ceph RGW 16', ...rgw, start: () => startRgw() },
  { name: 'versitygw 1.8', ...versitygw, start: () => startVersitygw('extended attributes') },
  { name: 'versitygw 1.8 with --sidecar', ...versitygw, start: () => startVersitygw('files') },
  { name: 'MinIO 2026-02', ...minio, start: startMinio },
];
