import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { execute, file, policyConfiguration, removeFiles } from './command.ts';

afterAll(removeFiles);

const config = file('sidecar.yaml', policyConfiguration);
const page = (name: string): string => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');

function block(text: string, language: string): string {
  const found = new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'ms').exec(text)?.[1];
  if (found === undefined) throw new Error(`no ${language} in the page`);
  return found;
}

function optionsIn(text: string): string[] {
  return [...new Set(text.match(/--[a-z][a-z-]+/g))].sort();
}

interface Report {
  readonly results: readonly (Readonly<Record<string, unknown>> & {
    readonly matchedStatements: readonly object[];
  })[];
}

/** The names of all members, so that documentation and program can be compared. */
function membersOf(json: string): object {
  const report = JSON.parse(json) as Report;
  const [result] = report.results;
  return {
    report: Object.keys(report),
    result: Object.keys(result ?? {}),
    statement: Object.keys(result?.['statement'] ?? {}),
    sets: Object.keys(result?.['policySets'] ?? {}),
    match: Object.keys(result?.matchedStatements[0] ?? {}),
  };
}

describe('docs/policy-simulate.md', () => {
  const text = page('policy-simulate.md');

  it('has every option of the command and no other', async () => {
    const { data } = await execute('policy', 'simulate', '--help');
    const options = optionsIn(data).filter((option) => option !== '--help');
    expect(optionsIn(text)).toEqual(options);
  });

  it('shows the JSON that the command prints', async () => {
    const { data } = await execute(
      ...['policy', 'simulate', '--config', config, '--json'],
      ...['--principal', 'arn:aws:sts::123456789012:assumed-role/data-reader/alice'],
      ...['--action', 's3:GetObject', '--resource', 'arn:aws:s3:::data/secret/plan'],
    );
    expect(membersOf(block(text, 'json'))).toEqual(membersOf(data));
    for (const member of [
      'decision',
      'reason',
      'policySets',
      'neededKeys',
      'unusedContextKeys',
      'onlyRecorded',
    ]) {
      expect(text).toContain(`| \`${member}\``);
    }
  });
});

describe('docs/policy-tests.md', () => {
  it('shows a file of cases that can be run', async () => {
    const cases = file('documented.yaml', block(page('policy-tests.md'), 'yaml'));
    const { code, data, prose } = await execute('policy', 'test', cases);
    expect([code, prose]).toEqual([1, '']);
    expect(data).toContain('3 passed, 1 failed');
    expect(data).toContain('readers read: expected allow, got implicitDeny: s3:GetObjectVersion');
  });
});
