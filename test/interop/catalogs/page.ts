import { readFile } from 'node:fs/promises';

/** What `docs/catalogs.md` tells operators to write. */
export interface CatalogsPage {
  /** The `directory` section of a configuration. */
  readonly directory: string;
  /** Settings of Nessie, with the URL of the sidecar and the secret key of the user `catalog` in their places. */
  nessieSettings(url: string, secretAccessKey: string): string;
  /** The session policy for an engine without a catalog, whose tables are at a location of the bucket. */
  enginePolicy(location: string): string;
}

/** Reads the page; throws where it lacks one of the blocks. */
export async function readCatalogsPage(): Promise<CatalogsPage> {
  const text = await readFile(new URL('../../../docs/catalogs.md', import.meta.url), 'utf8');
  const settings = blockOf(text, 'properties');
  const policy = blockOf(text, 'json', '"Statement"');
  return {
    directory: blockOf(text, 'yaml'),
    nessieSettings: (url, secretAccessKey) =>
      settings.replaceAll('https://sidecar.example.com', url).replaceAll('<secret>', () => secretAccessKey),
    enginePolicy: (location) => policy.replaceAll('warehouse/events', location),
  };
}

/** The first block of a language that has a text in it. */
function blockOf(page: string, language: string, text = ''): string {
  const blocks = page.matchAll(new RegExp(`\\n\`\`\`${language}\\n(.*?)\\n\`\`\`\\n`, 'gs'));
  const block = [...blocks].map(([, content = '']) => content).find((content) => content.includes(text));
  if (block === undefined) throw new Error(`the page has no block of ${language} with ${text}`);
  return block;
}
