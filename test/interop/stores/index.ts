import { startRgw } from '../rgw/start-rgw.ts';
import type { RealStore } from './real-store.ts';
import { startMinio } from './start-minio.ts';
import { startVersitygw } from './start-versitygw.ts';

/** A kind of store, and what the sidecar must know about it. */
export interface StoreKind {
  readonly name: string;
  /** How it takes checksum trailers. */
  readonly trailers: 'reframe' | 'decode';
  readonly start: () => Promise<RealStore>;
}

/** Every store that the suites run on. */
export const storeKinds: readonly StoreKind[] = [
  { name: 'Ceph RGW 16', trailers: 'decode', start: () => startRgw() },
  { name: 'versitygw', trailers: 'reframe', start: startVersitygw },
  { name: 'MinIO', trailers: 'reframe', start: startMinio },
];
