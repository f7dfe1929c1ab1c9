import { z } from 'zod';
import { fileName } from '../schema/scalars.ts';
import { directory } from './directory-sections.ts';
import { sections } from './sections.ts';

const own = { apiVersion: z.enum(['sts-sidecar/v1']).describe('The version of this format.') };

/** The whole file, for documentation and JSON Schemas. */
export const configurationFile = z.strictObject({
  ...own,
  ...sections,
  directory: directory.optional(),
  directoryFile: fileName
    .optional()
    .describe('A file that holds what `directory` would; one of the two is required.'),
});

const unread = z.unknown().optional();

/** The keys of the file. Sections are read one by one, so that a broken one does not hide the problems of the next. */
export const configurationOutline = z.strictObject({
  ...own,
  ...Object.fromEntries([...Object.keys(sections), 'directory'].map((name) => [name, unread])),
  directoryFile: fileName.optional(),
});
