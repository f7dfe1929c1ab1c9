import { readFile } from 'node:fs/promises';

/** What `docs/catalogs.md` tells operators to write. */
export interface CatalogsPage {
  /** The `directory` section of a configuration. */
  readonly directory: string;
  /** Settings of Nessie, with the URL of the sidecar and the secret key of the user `catalog` in their places. */
  nessieSettings(url: string, secretAccessKey: string): string;
}

/** Reads the page; throws where it lacks one of the blocks. */
export async function readCatalogsPage(): Promise<CatalogsPage> {
  const text = await readFile(new URL('../../../docs/catalogs.md', import.meta.url), 'utf8');
  const settings = blockOf(text, 'properties');
  return {
    directory: blockOf(text, 'yaml'),
    nessieSettings: (url, secretAccessKey) =>
      settings.replaceAll('https://sidecar.example.com', url).replaceAll('<secret>', () => secretAccessKey),
  };
}

/** The first block of a language. */
function blockOf(text: string, language: string): string {
  const [, block] = new RegExp(`\\n\`\`\`${language}\\n(.*?)\\n\`\`\`\\n`, 's').exec(text) ?? [];
  if (block === undefined) throw new Error(`the page has no block of ${language}`);
  return block;
}
