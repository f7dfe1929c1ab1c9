import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordsIn, recordsOf } from '../support/audit.ts';
import { type AuditCollector, startAuditCollector } from '../support/audit-collector.ts';
import { type Program, startProgram } from '../support/program.ts';
import { assume, outcome } from '../support/sdk.ts';
import { alice } from '../support/sidecar.ts';

let collector: AuditCollector;
beforeAll(async () => {
  collector = await startAuditCollector();
});
afterAll(() => collector.stop());

async function terminate(program: Program): Promise<number | null> {
  process.kill(program.pid, 'SIGTERM');
  await expect.poll(() => program.isRunning(), { timeout: 30_000 }).toBe(false);
  return program.exitCode();
}

describe('the program', () => {
  it('writes its records beside its configuration, and delivers all of them before it ends', async () => {
    const program = await startProgram({
      further: `audit: { stdout: true, file: audit.log, webhook: { url: "${collector.url}" } }`,
    });
    for (let count = 0; count < 5; count += 1) await assume(program.url, alice, 'data');
    collector.answerWith((response) => response.writeHead(500).end() && true);
    for (let count = 0; count < 5; count += 1) await assume(program.url, alice, 'data');
    const path = join(dirname(program.configurationFile), 'audit.log');
    await expect.poll(async () => recordsOf(await readFile(path, 'utf8')).length).toBe(10);
    process.kill(program.pid, 'SIGTERM');
    await expect.poll(() => program.output()).toContain('draining');
    collector.answerWith(undefined);
    await expect.poll(() => program.isRunning(), { timeout: 30_000 }).toBe(false);
    expect(program.exitCode()).toBe(0);
    expect(recordsIn(program.output().split('\n'))).toHaveLength(10);
    expect(collector.records).toHaveLength(10);
    await program.stop();
  }, 60_000);

  it('ends in time when a webhook never answers, and says what is lost', async () => {
    collector.answerWith(() => true);
    const program = await startProgram({ further: `audit: { webhook: { url: "${collector.url}" } }` });
    await assume(program.url, alice, 'data');
    expect(await terminate(program)).toBe(0);
    expect(program.output()).toMatch(/"lost":1,"cause":"the program stopped","msg":"audit records are lost"/);
    collector.answerWith(undefined);
    await program.stop();
  }, 60_000);

  it('says that the audit section needs a restart', async () => {
    const program = await startProgram({ further: 'audit: { stdout: true }' });
    const text = await readFile(program.configurationFile, 'utf8');
    await writeFile(program.configurationFile, text.replace('stdout: true', 'stdout: false'));
    process.kill(program.pid, 'SIGHUP');
    await expect.poll(() => program.output()).toMatch(/"need_?[rR]estart.*audit|audit.*restart/);
    expect(await outcome(assume(program.url, alice, 'data'))).toBe('allowed');
    await expect.poll(() => recordsIn(program.output().split('\n')).length).toBe(1);
    await program.stop();
  }, 60_000);

  it('does not start with a file that cannot be written', async () => {
    const program = await startProgram();
    const folder = await mkdtemp(join(tmpdir(), 'audit-program-'));
    const text = await readFile(program.configurationFile, 'utf8');
    const path = join(folder, 'sidecar.yaml');
    await writeFile(path, `${text}\naudit: { file: missing/audit.log }\n`);
    const environment = await readFile(`/proc/${program.pid}/environ`, 'utf8');
    const variables = environment
      .split('\0')
      .map((one) => [one.slice(0, one.indexOf('=')), one.slice(one.indexOf('=') + 1)]);
    const entry = new URL('../../dist/main.js', import.meta.url).pathname;
    const child = spawn(process.execPath, [entry, 'serve', '--config', path], {
      env: Object.fromEntries(variables) as Record<string, string>,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let prose = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      prose += chunk;
    });
    const [code] = (await once(child, 'exit')) as [number | null];
    expect(code).toBe(2);
    expect(prose).toContain(
      `audit.file: ${JSON.stringify(join(folder, 'missing/audit.log'))} cannot be written to: ENOENT`,
    );
    await program.stop();
    await rm(folder, { recursive: true });
  }, 60_000);
});
