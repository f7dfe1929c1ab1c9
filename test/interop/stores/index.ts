import { startRgw } from '../rgw/start-rgw.ts';
import type { RealStore } from './real-store.ts';
import { startMinio } from './start-minio.ts';
import { startVersitygw } from './start-versitygw.ts';

/** A kind of store, and what the sidecar must know about it. */
export interface StoreKind {
  readonly name: string;
  /** The program and its version: what the pages say of it holds for each way to set it up. */
  readonly product: string;
  /** How it takes checksum trailers. */
  readonly trailers: 'reframe' | 'decode';
  /** Which conditions it obeys: `backend.supports`. */
  readonly supports: readonly string[];
  readonly start: () => Promise<RealStore>;
}

const versitygw = {
  product: 'versitygw 1.8',
  trailers: 'reframe',
  supports: ['conditionalComplete', 'conditionalDelete', 'sizeAndTimeConditions'],
} as const;

/** Every store that the suites run on. */
export const storeKinds: readonly StoreKind[] = [
  { name: 'Ceph RGW 16', product: 'Ceph RGW 16', trailers: 'decode', supports: [], start: () => startRgw() },
  { name: 'versitygw 1.8', ...versitygw, start: () => startVersitygw('extended attributes') },
  { name: 'versitygw 1.8 with --sidecar', ...versitygw, start: () => startVersitygw('files') },
  {
    name: 'MinIO 2026-02',
    product: 'MinIO 2026-02',
    trailers: 'reframe',
    supports: ['conditionalComplete'],
    start: startMinio,
  },
];
