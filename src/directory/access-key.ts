import type { Secret } from '../core/secret.ts';
import type { Root } from './root.ts';
import type { User } from './user.ts';

/** A long-term access key. */
export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  readonly owner: User | Root;
}
