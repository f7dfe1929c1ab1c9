import { z } from 'zod';

/** A policy; read and measured by the policy engine. */
export const policy = z
  .unknown()
  .meta({ id: 'policy', type: 'object', description: 'A policy document, as in IAM.' });
