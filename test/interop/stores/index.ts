import { startRgw } from '../rgw/start-rgw.ts';
import type { RealStore } from './real-store.ts';
import { startMinio } from './start-minio.ts';
import { startVersitygw } from './start-versitygw.ts';

/** A kind of store, and what the sidecar must know about it. */
export interface StoreKind {
  readonly name: string;
  /** How it takes checksum trailers. */
  readonly trailers: 'reframe' | 'decode';
  /** Which conditions it obeys: `backend.supports`. */
  readonly supports: readonly string[];
  readonly start: () => Promise<RealStore>;
}

/** Every store that the suites run on. */
export const storeKinds: readonly StoreKind[] = [
  { name: 'Ceph RGW 16', trailers: 'decode', supports: [], start: () => startRgw() },
  {
    name: 'versitygw 1.8',
    trailers: 'reframe',
    supports: ['conditionalComplete', 'conditionalDelete', 'sizeAndTimeConditions'],
    start: startVersitygw,
  },
  { name: 'MinIO 2026-02', trailers: 'reframe', supports: ['conditionalComplete'], start: startMinio },
];
