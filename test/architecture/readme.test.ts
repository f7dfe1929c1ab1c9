import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseConfiguration } from '../../src/config/load.ts';
import { execute } from '../cli/command.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

it('shows a configuration that the program accepts', () => {
  const yaml = /```yaml\n([^`]+)```/.exec(readme)?.[1] ?? '';
  const loaded = parseConfiguration(yaml, 'sidecar.yaml', {
    environment: (name) => (name.startsWith('STS_SIDECAR_') ? undefined : `value-of-${name.toLowerCase()}`),
    readText: () => ({ ok: true, text: `${Buffer.alloc(32, 7).toString('base64')}\n` }),
  });
  expect(loaded).toMatchObject({ ok: true, warnings: [] });
});

it('shows what the demo prints', async () => {
  const { code, data } = await execute('demo', '--once');
  expect(code).toBe(0);
  expect(readme).toContain(`npm run demo -- --once\n\`\`\`\n\n\`\`\`text\n${data}\n\`\`\``);
});

it('is short enough to be read to the end', () => {
  expect(readme.trim().split(/\s+/).length).toBeLessThanOrEqual(900);
});
