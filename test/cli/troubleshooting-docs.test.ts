import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { headErrorTable } from '../../src/edge/head-fault.ts';
import { s3ErrorTable } from '../../src/s3/errors.ts';
import { stsErrorTable } from '../../src/sts/errors.ts';
import { assume, s3Client } from '../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { execute, file, removeFiles } from './command.ts';

const page = (name: string): string => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');
const text = page('troubleshooting.md');
const [, ofS3 = '', ofSts = ''] = text.split(/^## (?:S3|STS)$/m);

/** The code blocks of a language, in the order of the page. */
function blocks(of: string, language: string): string[] {
  return [...of.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(
    ([, block = '']) => block,
  );
}

/** The codes that the tables of a section have rows for. */
function codesIn(section: string): string[] {
  return [...new Set([...section.matchAll(/^\| `(\w+)`/gm)].map(([, code = '']) => code))].sort();
}

describe('docs/troubleshooting.md', () => {
  it.each([
    ['S3', ofS3, s3ErrorTable(), headErrorTable('s3')],
    ['STS', ofSts, stsErrorTable(), headErrorTable('sts')],
  ])('has a row for every error code of %s', (_, section, table, ofHeads) => {
    const codes = new Set([...table.keys(), ...ofHeads.map(([code]) => code)]);
    expect(codesIn(section)).toEqual([...codes].sort());
  });

  it('names only ways to the cause that it explains', () => {
    const ways = [...text.matchAll(/^\*\*(\w+)\.\*\*/gm)].map(([, way]) => way);
    expect(ways).toEqual(['log', 'explain', 'simulate', 'inspect', 'check', 'health']);
  });
});

describe('the commands of docs/troubleshooting.md', () => {
  const tokenKey = randomBytes(32).toString('base64');
  // The example of the page itself, with literal secrets.
  const [example = ''] = blocks(page('getting-started.md'), 'yaml');
  const config = file(
    'sidecar.yaml',
    example.replaceAll(/\{ env: \w+ \}/g, 'a-literal-secret').replace('{ file: token-key }', tokenKey),
  );
  const commands = blocks(text, 'sh')
    .join('')
    .replaceAll('\\\n', '')
    .split('\n')
    .filter((line) => line.includes('sts-sidecar '));
  const wordsOf = (name: string): string[] => {
    const line = commands.find((command) => command.includes(name)) ?? '';
    const words = line.slice(line.indexOf('sts-sidecar ') + 'sts-sidecar '.length).split(/\s+/);
    const end = words.indexOf('<');
    return words.slice(0, end < 0 ? undefined : end).map((word) => (word === 'sidecar.yaml' ? config : word));
  };

  let sidecar: TestSidecar;
  let token: string;
  let refusal: string;
  beforeAll(async () => {
    sidecar = await startSidecar({ tokenKey });
    const keys = await assume(sidecar.url, alice, 'reader');
    token = keys.sessionToken;
    refusal = await s3Client(sidecar.url, keys)
      .send(new ListObjectsV2Command({ Bucket: 'data' }))
      .then(() => '', String);
  });
  afterAll(async () => {
    await sidecar.stop();
    removeFiles();
  });

  it('are four', () => {
    expect(commands).toHaveLength(4);
  });

  it('explain a refusal', async () => {
    const words = wordsOf('explain').map((word) => (word === '-' ? refusal : word));
    expect(await execute(...words)).toMatchObject({
      code: 0,
      data: expect.stringContaining('denied: s3:ListBucket'),
    });
  });

  it('simulate what the page shows', async () => {
    const { code, data } = await execute(...wordsOf('policy simulate'));
    expect([code, `${data}\n`]).toEqual([1, blocks(text, 'text')[0]]);
  });

  it('inspect a token', async () => {
    expect(await execute(...wordsOf('token inspect'), token)).toMatchObject({ code: 0 });
  });

  it('check the configuration', async () => {
    expect(await execute(...wordsOf('config check'))).toMatchObject({ code: 0 });
  });

  it('read fields that a refused request has in the log', () => {
    const line = JSON.parse(sidecar.logged.find((one) => one.includes('AccessDenied')) ?? '{}') as object;
    const filters = blocks(text, 'sh')
      .join('')
      .split('\n')
      .filter((command) => command.startsWith('jq '));
    expect(filters).toHaveLength(2);
    const fields = filters.flatMap((filter) => [
      ...[...filter.matchAll(/select\(\.(\w+)/g)].map(([, field = '']) => field),
      ...(/\{([^}]*)\}/.exec(filter)?.[1]?.split(', ') ?? []),
    ]);
    // Policies deny this one, so there is no further detail; that no statement is near is no fault either.
    const known = [...Object.keys(line), 'error_detail', 'near_miss'];
    expect(fields.filter((field) => !known.includes(field))).toEqual([]);
  });

  it('ask what the admin listener answers', async () => {
    const health = blocks(text, 'sh').find((block) => block.includes('curl')) ?? '';
    expect(health).toContain('/readyz');
    expect((await fetch(`${sidecar.adminUrl}/readyz`)).status).toBe(200);
    const metrics = await (await fetch(`${sidecar.adminUrl}/metrics`)).text();
    for (const name of ['limit_actions_total', 'upstream_errors_total']) {
      expect(health).toContain(name);
      expect(metrics).toContain(name);
    }
  });
});
