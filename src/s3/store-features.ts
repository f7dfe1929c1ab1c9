import type { StoreFeature } from '../core/store-feature.ts';
import { s3Error } from './errors.ts';

/**
 * Refuses a feature that `backend.supports` does not name. `asked` begins the message.
 * @throws `NotImplemented`
 */
export function requireFeature(
  feature: StoreFeature,
  asked: string,
  supports: ReadonlySet<StoreFeature>,
): void {
  if (supports.has(feature)) return;
  throw s3Error(
    'NotImplemented',
    `${asked} is sent only to a store that backend.supports names for it (${feature}).`,
  );
}
