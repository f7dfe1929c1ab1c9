/* The section `audit`. Like sections.ts, the one place where its settings are written. */

import { z } from 'zod';
import { fileName, textLike, wholeNumber } from '../schema/scalars.ts';
import { secretSource } from '../schema/value-source.ts';

const webhookForm = /^https?:\/\/[\x21-\x7e]{1,2040}$/i;

function isWebhookUrl(text: string): boolean {
  if (!webhookForm.test(text) || /[#\\]/.test(text) || !URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return username === '' && password === '';
}

/** A field name (RFC 9110, section 5.1). */
const headerName = textLike(
  /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/,
  'must be the name of an HTTP header',
).refine(
  (name) =>
    !/^(?:connection|content-length|content-type|expect|host|keep-alive|transfer-encoding|upgrade)$/i.test(
      name,
    ),
  { error: 'must not be a header that the sidecar sets itself' },
);

const collector = z.strictObject({
  url: z
    .string()
    .refine(isWebhookUrl, { error: 'must be an http or https URL without user and fragment' })
    .describe('Where records are posted; plain http only as `outbound.allowHttp` says.'),
  headers: z
    .record(headerName, secretSource)
    .default({})
    .describe('Headers to send, for example `Authorization`, by name.'),
});

export const audit = z
  .strictObject({
    stdout: z.boolean().default(false).describe('Whether records are lines of the standard output.'),
    file: fileName
      .optional()
      .describe('A file for records, relative to the folder of this file. Its folder must exist.'),
    fileMaxBytes: wholeNumber(1_048_576, 1_099_511_627_776)
      .default(104_857_600)
      .describe('Size at which the file is rotated.'),
    fileCount: wholeNumber(1, 1_000)
      .default(10)
      .describe('Files that are kept: `file`, `file.1` and so on. The oldest one is removed.'),
    webhook: collector.optional().describe('An HTTP endpoint for records.'),
    otlp: collector
      .optional()
      .describe(
        'A collector that takes log records by OTLP over HTTP in JSON. The URL is used as it stands; its path is usually `/v1/logs`.',
      ),
    maxQueuedBytes: wholeNumber(1_048_576, 1_073_741_824)
      .default(8_388_608)
      .describe(
        'Bytes of records that may wait for each sink; half for one user or role alone. Further records are lost, and counted.',
      ),
    failClosed: z
      .boolean()
      .default(false)
      .describe('Whether requests whose record cannot be kept are refused with 503.'),
  })
  .prefault({})
  .describe('The audit trail: one record for each S3 and STS request; see docs/audit.md.');
