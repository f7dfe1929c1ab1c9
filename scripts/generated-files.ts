/*
 * The files that are made from the tables of the program: their paths in the repository, and what they hold.
 * `npm run generate` writes them; test/architecture/generated-files.test.ts, which it runs, fails when one differs.
 */

import { auditRecordSchema } from './audit-record-schema.ts';
import { chartReadme } from './chart-readme.ts';
import { chartSchema } from './chart-schema.ts';
import { dashboards } from './dashboards.ts';
import { configurationSchema, fileText } from './json-schema.ts';
import { settingsPage } from './settings-page.ts';

/** Each generated file by its path. */
export const generatedFiles: Readonly<Record<string, () => string>> = {
  'docs/audit-record.schema.json': () => fileText(auditRecordSchema()),
  'docs/configuration.md': settingsPage,
  'docs/configuration.schema.json': () => fileText(configurationSchema()),
  'helm/sts-sidecar/README.md': chartReadme,
  'helm/sts-sidecar/values.schema.json': () => fileText(chartSchema()),
  ...Object.fromEntries(
    Object.entries(dashboards).map(([name, content]) => [
      `helm/sts-sidecar/files/dashboards/${name}.json`,
      () => fileText(content()),
    ]),
  ),
};
