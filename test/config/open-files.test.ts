import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { processOpenFiles } from '../../src/config/open-files.ts';
import { configuration, load } from './samples.ts';

const text = configuration({
  server: 'server: { limits: { maxConnections: 4000, maxInFlight: 500 } }',
});

it('limits that need more open files than the process may have cause a warning, with their place', () => {
  expect(load(text, { maxOpenFiles: 1024 }).warnings).toEqual([
    'sidecar.yaml:20:19 server.limits: warning: may need 4756 open files, and the process may have 1024: lower maxConnections or maxInFlight, or raise the hard limit on open files (ulimit -Hn)',
  ]);
  expect(load(text, { maxOpenFiles: 4755 }).warnings).toHaveLength(1);
  expect(load(text, { maxOpenFiles: 4756 }).warnings).toEqual([]);
});

it('limits are not judged where that maximum is unknown', () => {
  expect(load(text).warnings).toEqual([]);
});

it('the maximum is that of the process, where the system reports it', () => {
  const limit = Number(execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }));
  expect(processOpenFiles()).toBe(existsSync('/proc/self/limits') ? limit : undefined);
});
