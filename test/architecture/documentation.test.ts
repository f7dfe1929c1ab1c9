import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import packageFile from '../../package.json' with { type: 'json' };
import { repository } from './cruised-copy.ts';

const read = (path: string): string => readFileSync(join(repository, path), 'utf8');

/** Every page of the documentation, by its path in the repository. */
const pages = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'helm/sts-sidecar/README.md',
  ...readdirSync(join(repository, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

/** The text of a page without its code blocks. */
function prose(page: string): string {
  return read(page).replaceAll(/^```.*?^```/gms, '');
}

/** The fragment by which GitHub links to a heading. */
function fragmentOf(heading: string): string {
  const words = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
  return words.replaceAll(/[^\p{L}\p{N}_ -]/gu, '').replaceAll(' ', '-');
}

function fragmentsOf(page: string): string[] {
  return [...prose(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => fragmentOf(heading));
}

/** True for a link that leads to a file or folder of the repository, and to a heading of it where it names one. */
function leadsSomewhere(page: string, link: string): boolean {
  const [path = '', fragment] = link.split('#');
  const target = path === '' ? page : join(dirname(page), path);
  if (!existsSync(join(repository, target))) return false;
  return fragment === undefined || fragmentsOf(target).includes(fragment);
}

describe.each(pages)('%s', (page) => {
  it('links only to files and headings that exist', () => {
    const links = [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
    const relative = links.filter((link) => !/^[a-z]+:/.test(link));
    expect(relative.filter((link) => !leadsSomewhere(page, link))).toEqual([]);
  });

  it('names only npm scripts that exist', () => {
    const names = [...read(page).matchAll(/\bnpm run (?:--silent )?([a-z:-]+)/g)].map(([, name]) => name);
    expect(names.filter((name) => !Object.keys(packageFile.scripts).includes(name ?? ''))).toEqual([]);
  });
});

describe('the npm scripts', () => {
  it('are explained to contributors', () => {
    const page = read('CONTRIBUTING.md');
    const own = Object.keys(packageFile.scripts).filter((name) => !['test', 'sts-sidecar'].includes(name));
    const text = `${page}${read('README.md')}`;
    expect(own.filter((name) => !text.includes(`npm run ${name}`))).toEqual([]);
  });
});

describe.each(['CONTRIBUTING.md', 'docs/architecture.md'])('the paths in %s', (page) => {
  const paths = [...prose(page).matchAll(/`((?:src|test|helm|docs|deploy)\/[\w./-]+)`/g)].map(
    ([, path = '']) => path,
  );

  it('are found', () => {
    expect(paths.length).toBeGreaterThan(15);
  });

  it.each([...new Set(paths)])('exist: %s', (path) => {
    expect(existsSync(join(repository, path))).toBe(true);
  });
});

/** A file as the map calls it: in its diagrams, and from `src` on. */
const sourceFile = /(?<![\w./-])(?:[\w-]+\/)+[\w.-]+\.ts\b/g;

interface Rule {
  readonly name: string;
  readonly comment: string;
}

describe('docs/architecture.md', () => {
  const page = read('docs/architecture.md');
  const [, section = ''] = /^## Folders$(.*?)^## /ms.exec(page) ?? [];
  const rows = [...section.matchAll(/^\| (`[^|]+`)\s*\|[^|]+\| ([^|]+?)\s*\|$/gm)].flatMap(
    ([, folders = '', imports = '']) =>
      [...folders.matchAll(/`([\w-]+)`/g)].map(([, folder = '']) => [folder, imports] as const),
  );
  const table = new Map(rows);

  it('has a row for every folder of src', () => {
    const folders = readdirSync(join(repository, 'src')).filter((name) =>
      statSync(join(repository, 'src', name)).isDirectory(),
    );
    expect([...table.keys()].sort()).toEqual(folders.sort());
  });

  // The comment of a rule lists its folder and everything that the folder may import.
  it('says what each folder may import as the rules do', () => {
    const { forbidden } = createRequire(import.meta.url)('../../.dependency-cruiser.cjs') as {
      readonly forbidden: readonly Rule[];
    };
    const layers = forbidden.filter(({ name }) => name.startsWith('layer-'));
    expect(layers.length).toBeGreaterThan(15);
    for (const { name, comment } of layers) {
      const folder = name.slice('layer-'.length);
      const [, list = ''] = /may import only: (.*)$/.exec(comment) ?? [];
      const allowed = list.split(', ').map((entry) => /^[\w-]+/.exec(entry)?.[0] ?? entry);
      const stated = (table.get(folder) ?? '').replaceAll(/ \([^)]*\)/g, '').split(', ');
      const wanted = [...new Set(allowed)].filter((one) => one !== folder);
      expect(stated.sort(), folder).toEqual(wanted.length === 0 ? ['nothing'] : wanted.sort());
    }
  });

  it('names only source files that exist', () => {
    const files = (page.match(sourceFile) ?? []).filter((file) => !/^(?:src|test)\//.test(file));
    expect(files.length).toBeGreaterThan(10);
    expect(files.filter((file) => !existsSync(join(repository, 'src', file)))).toEqual([]);
  });

  it('is short enough to be read to the end', () => {
    expect(page.trim().split(/\s+/).length).toBeLessThanOrEqual(1500);
  });
});
