/** Optional features of stores, under their names in `backend.supports`: rare operations, and conditions that stores ignore. */
export const storeFeatures = [
  'annotations',
  'objectEncryption',
  'conditionalBatchDelete',
  'conditionalComplete',
  'conditionalCopy',
  'conditionalDelete',
  'sizeAndTimeConditions',
] as const;

/** One of them. */
export type StoreFeature = (typeof storeFeatures)[number];
