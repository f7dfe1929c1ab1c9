import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import packageFile from '../../package.json' with { type: 'json' };
import { parseConfiguration } from '../../src/config/load.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

it('shows a configuration that the program accepts', () => {
  const yaml = /```yaml\n([^`]+)```/.exec(readme)?.[1] ?? '';
  const loaded = parseConfiguration(yaml, 'sidecar.yaml', {
    environment: (name) => (name.startsWith('STS_SIDECAR_') ? undefined : `value-of-${name.toLowerCase()}`),
    readText: () => ({ ok: true, text: `${Buffer.alloc(32, 7).toString('base64')}\n` }),
  });
  expect(loaded).toMatchObject({ ok: true, warnings: [] });
});

it('names only npm scripts that exist', () => {
  const scripts = [
    ...readme.matchAll(/npm (?:run )?(demo|test(?::\w+)?|build|types|lint|architecture|unused)\b/g),
  ];
  expect(scripts.length).toBeGreaterThan(5);
  for (const [, name = ''] of scripts) expect(Object.keys(packageFile.scripts)).toContain(name);
});
